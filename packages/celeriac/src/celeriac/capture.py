"""What a traced run leaves behind, for the worker's main process to tell Redis.

Celery's tracer stores the result and sends the retry itself, from wherever the run is: a prefork child, a thread, a
greenlet. Here both are kept instead, encoded, on the run's request, and travel to the main process with the outcome.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billiard.einfo import ExceptionInfo
from celery import current_task
from celery.exceptions import Retry

_KEY = "celeriac"
"""Of a request's ``delivery_info``. A key of the request itself would count as a header of the task's own."""
_TRACEBACK_LIMIT = 8_192
_MESSAGE_LIMIT = 2_048


@dataclass(slots=True)
class Resend:
    """The run's own message, sent again by the run: a retry, or what replaces it."""

    task: str
    queue: str
    list: str
    priority: int
    message: str
    due: float
    """Seconds since the epoch; 0 for at once."""
    retries: int


@dataclass(slots=True, repr=False)
class Capture:
    """Filled while a run is traced. Everything in it can be pickled."""

    state: str | None = None
    """The last state that Celery, or the task itself, stored."""
    result: bytes | str = b""
    """The stored result, encoded."""
    resend: Resend | None = None
    replaced: bool = False
    """Whether the run has put others in its place, by :meth:`Task.replace <celery.app.task.Task.replace>`."""
    error: str = ""
    """Record's ``error``, JSON."""


def attach(delivery_info: Mapping[str, Any] | None, capture: Capture) -> dict[str, Any]:
    """Return a request's *delivery_info* with *capture* in it."""
    return {**(delivery_info or {}), _KEY: capture}


def of(request: Any) -> Capture | None:
    """Return the capture of a Celery request context; None when it is not being traced by Celeriac."""
    found = (getattr(request, "delivery_info", None) or {}).get(_KEY)
    return found if isinstance(found, Capture) else None


def of_current(run_id: str) -> Capture | None:
    """Return the capture of the run that the caller is in, if that is *run_id*."""
    request = current_task.request if current_task else None
    return of(request) if request is not None and request.id == run_id else None


def error_of(info: ExceptionInfo) -> Any:
    """Return the exception itself, which billiard wraps to carry its traceback between processes."""
    error: Any = info.exception
    return error.exc if type(error).__name__ == "ExceptionWithTraceback" else error


def describe(info: ExceptionInfo) -> str:
    """Return an exception as the record's ``error``: type, message and the end of the traceback."""
    error = error_of(info)
    if isinstance(error, Retry) and error.exc is not None:
        error = error.exc
    kind = getattr(error, "exc_cls_name", None) or type(error).__qualname__
    try:
        message = str(error)
    except Exception as fault:
        message = f"<its message cannot be shown: {fault!r}>"
    return json.dumps(
        {
            "type": kind,
            "message": message[:_MESSAGE_LIMIT],
            "traceback": str(info.traceback or "")[-_TRACEBACK_LIMIT:],
        }
    )
