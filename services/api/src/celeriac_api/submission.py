"""What a caller sends to submit a run, and what it becomes."""

import hashlib
import json
import time
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, Strict

from celeriac.catalog.arguments import Arguments
from celeriac.errors import InvalidError
from celeriac.settings import Settings
from celeriac.submit import Submission, new_id
from celeriac_api.timestamp import LONGEST_SECONDS, SecondsOrTime, Timestamp

_KEYS = UUID("5b1d6a0e-4c53-5d2e-9e0b-6c1f6f0f7a35")
"""Namespace of the run ids that are made from an Idempotency-Key."""

FINGERPRINT = "fingerprint"
"""Field of the record that tells whether a repeated request is the same one."""


class SubmitRequest(BaseModel):
    """A submission. Only what is listed here can be set."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "cookbook.tasks.report", "kwargs": {"year": 2026}},
                {"name": "cookbook.tasks.report", "args": [2026], "queue": "io", "priority": 0, "countdown": 60},
            ]
        },
    )

    name: str = Field(min_length=1, max_length=255, description="A task of the catalogue.")
    args: list[Any] = Field(default=[], description="Positional arguments.")
    kwargs: dict[str, Any] = Field(default={}, description="Named arguments.")
    queue: str | None = Field(default=None, description="Unset, the task's own queue.")
    priority: Annotated[int | None, Strict()] = Field(
        default=None, ge=0, le=9, description="0 goes first, 9 last. Unset, the task's own."
    )
    countdown: Annotated[float | None, Strict()] = Field(
        default=None, ge=0, le=LONGEST_SECONDS, description="Seconds to wait. Not together with eta."
    )
    eta: Timestamp | None = Field(default=None, description="When to run. A time that has passed means now.")
    expires: SecondsOrTime | None = Field(
        default=None, description="If no worker has started the run by then, it ends as expired."
    )
    id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$",
        description="An id of the caller's choice. Sending it again is the same run.",
        examples=["report-2026-11"],
    )


def id_of_key(key: str) -> str:
    """Return the run id that an Idempotency-Key stands for."""
    return str(uuid5(_KEYS, key))


def to_submission(
    request: SubmitRequest, arguments: Arguments, settings: Settings, *, id: str | None, request_id: str
) -> Submission:
    """Check *request* against the catalogue and the settings, and return the run to submit.

    Raises:
        InvalidError: an argument, the queue or a time is wrong.
    """
    now = time.time()
    entry = arguments.entry
    queue = request.queue or entry.queue
    if queue not in settings.task.queues:
        field = "/queue" if request.queue else "/name"
        raise InvalidError(f"{queue!r:.100} is no queue; the queues are {', '.join(settings.task.queues)}", field)
    due = _due(request, now)
    args, kwargs = arguments.bind(request.args, request.kwargs)
    return Submission(
        task=entry.name,
        queue=queue,
        priority=_first(request.priority, entry.priority, settings.task.default_priority),
        args=args,
        kwargs=kwargs,
        id=id or request.id or new_id(),
        due=due,
        expires=_expires(request, now, due),
        ignore_result=bool(entry.options.get("ignore_result", False)),
        headers={"request_id": request_id},
        fields={"request_id": request_id, FINGERPRINT: fingerprint(request)},
    )


def fingerprint(request: SubmitRequest) -> str:
    """Return a digest of what was asked, apart from the id: equal for the same request, whatever its spelling."""
    asked = request.model_dump(mode="json", exclude={"id"})
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _due(request: SubmitRequest, now: float) -> float | None:
    if request.eta is None:
        return now + request.countdown if request.countdown else None
    if request.countdown is not None:
        raise InvalidError("give eta or countdown, not both", "/countdown")
    due = request.eta.timestamp()
    if due > now + LONGEST_SECONDS:
        raise InvalidError("is more than ten years away", "/eta")
    return due if due > now else None


def _expires(request: SubmitRequest, now: float, due: float | None) -> float | None:
    if request.expires is None:
        return None
    given = request.expires
    expires = given.timestamp() if isinstance(given, datetime) else now + given
    if expires <= now:
        raise InvalidError("has passed already", "/expires")
    if due is not None and expires <= due:
        raise InvalidError("is before the run is due", "/expires")
    if expires > now + 2 * LONGEST_SECONDS:
        raise InvalidError("is more than twenty years away", "/expires")
    return expires
