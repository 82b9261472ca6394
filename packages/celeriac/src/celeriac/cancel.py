"""Cancelling runs: a fact in Redis, whether or not a worker is up to hear of it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

import redis.asyncio

from celeriac import keys, scripts
from celeriac.errors import ConflictError, InvalidError, NotFoundError
from celeriac.states import FINAL, State

BATCH: Final = 1000
"""Runs that one script looks at; Redis serves nobody else meanwhile."""


class Outcome(StrEnum):
    """What a request to cancel came to."""

    CANCELLED = "cancelled"
    """It waited, and will not run."""
    REQUESTED = "requested"
    """A worker holds it. It ends as ``cancelled`` once it has stopped, or as what it came to before it heard."""


class Cancelled(NamedTuple):
    """How many runs were cancelled at once, and how many were asked to stop."""

    cancelled: int
    requested: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which runs to cancel; what is None matches all."""

    task: str | None = None
    queue: str | None = None
    states: Collection[State] = ()
    """None named means all that are not final."""
    older_than: float = 0
    """Seconds since submission, by Redis' clock."""

    def __post_init__(self) -> None:
        if final := FINAL.intersection(self.states):
            raise InvalidError(f"{', '.join(sorted(final))}: runs that have ended cannot be cancelled", "/states")


async def cancel(client: redis.asyncio.Redis, id: str, *, reason: str, hard: bool, keep_seconds: int) -> Outcome:
    """Cancel one run. *hard* asks for the termination of one that runs (prefork); asking again is no error.

    Raises:
        NotFoundError: no such run.
        ConflictError: it has ended.
    """
    ((outcome, state),) = await scripts.run_async(client, "cancel", [], [reason, int(hard), keep_seconds, id])
    if outcome == b"unknown":
        raise NotFoundError(f"There is no run {id!r}, or its record has expired")
    if outcome == b"final":
        raise ConflictError(f"Run {id!r} has ended as {state.decode()}")
    return Outcome(outcome.decode())


class Cursor(NamedTuple):
    """How far a cancellation by filter has come."""

    tasks: tuple[str, ...]
    """Names not gone through yet; the first is at hand."""
    last: str
    """Id of the last run of it that was looked at."""


async def begin(client: redis.asyncio.Redis, filter_: Filter) -> Cursor | None:
    """Return where to begin; None when no task matches."""
    if filter_.task:
        return Cursor((filter_.task,), "")
    names: Collection[Any] = await client.smembers(keys.TASKS)
    return Cursor(tuple(sorted(name.decode() for name in names)), "") if names else None


async def advance(
    client: redis.asyncio.Redis, filter_: Filter, cursor: Cursor, *, reason: str, hard: bool, keep_seconds: int
) -> tuple[Cancelled, Cursor | None]:
    """Cancel what matches among the next runs, and return how many, and where to go on; None at the end."""
    cancelled, requested, last = await scripts.run_async(
        client,
        "cancel_matching",
        [keys.RUNS + cursor.tasks[0]],
        [
            reason,
            int(hard),
            keep_seconds,
            cursor.last,
            BATCH,
            filter_.queue or "",
            ",".join(filter_.states),
            round(filter_.older_than * 1000),
        ],
    )
    tasks = cursor.tasks if last else cursor.tasks[1:]
    return Cancelled(cancelled, requested), Cursor(tasks, last.decode()) if tasks else None


async def cancel_matching(
    client: redis.asyncio.Redis, filter_: Filter, *, reason: str, hard: bool, keep_seconds: int
) -> Cancelled:
    """Cancel all runs that match *filter_*, in batches; runs submitted meanwhile may or may not be among them."""
    cancelled = requested = 0
    cursor = await begin(client, filter_)
    while cursor is not None:
        batch, cursor = await advance(client, filter_, cursor, reason=reason, hard=hard, keep_seconds=keep_seconds)
        cancelled, requested = cancelled + batch.cancelled, requested + batch.requested
    return Cancelled(cancelled, requested)
