"""Submitting a run: one script writes the record and the message, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import redis
import redis.asyncio

from celeriac import durability, keys, message, scripts
from celeriac.settings.task import DeliverySettings
from celeriac.states import State


def new_id() -> str:
    """Return a fresh run id, of the kind Celery makes."""
    return str(uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is to run, where and when. *due* and *expires* are seconds since the epoch."""

    task: str
    queue: str
    priority: int
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    due: float | None = None
    expires: float | None = None
    ignore_result: bool = False
    """Whether the worker is to keep no result, as the task itself may say."""
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Further message headers, such as the request id or a trace context."""
    fields: Mapping[str, str | int] = field(default_factory=dict)
    """Further fields of the record."""


class Accepted(NamedTuple):
    """The answer to a submission."""

    id: str
    state: State
    created: bool
    """False when the id was known before: the answer is about the run that was there."""


def call(submission: Submission, settings: DeliverySettings) -> tuple[list[str], list[scripts.Argument]]:
    """Return the keys and arguments of the ``submit`` script for *submission*."""
    text = message.encode(
        id=submission.id,
        task=submission.task,
        args=submission.args,
        kwargs=submission.kwargs,
        queue=submission.queue,
        priority=submission.priority,
        due=submission.due,
        expires=submission.expires,
        ignore_result=submission.ignore_result,
        headers=submission.headers,
    )
    extra: list[scripts.Argument] = []
    for name, value in submission.fields.items():
        extra += (name, value)
    return (
        [keys.RUN + submission.id, keys.queue_list(submission.queue, submission.priority)],
        [
            submission.id,
            submission.task,
            submission.queue,
            submission.priority,
            round((submission.due or 0) * 1000),
            round((submission.expires or 0) * 1000),
            round(settings.delay_threshold_seconds * 1000),
            text,
            *extra,
        ],
    )


def submit(client: redis.Redis, submission: Submission, settings: DeliverySettings) -> Accepted:
    """Submit a run. Sending the same id again is safe and changes nothing.

    Raises:
        UnavailableError: under ``durability: replicated``, when no replica confirmed in time.
    """
    created, state = durability.run(client, "submit", *call(submission, settings), settings)
    return Accepted(submission.id, State(state.decode()), bool(created))


async def submit_async(client: redis.asyncio.Redis, submission: Submission, settings: DeliverySettings) -> Accepted:
    """Submit a run as :func:`submit` does, on an asyncio client."""
    created, state = await durability.run_async(client, "submit", *call(submission, settings), settings)
    return Accepted(submission.id, State(state.decode()), bool(created))
