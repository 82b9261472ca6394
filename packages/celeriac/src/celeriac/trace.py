"""Running a task by Celery's own tracer, and bringing back what it left.

These functions run where the pool runs tasks, so they are found by name from a prefork child.
"""

from typing import Any, NamedTuple

from billiard.einfo import ExceptionInfo
from celery.app.task import Context
from celery.app.trace import fast_trace_task, trace_task_ret

from celeriac.capture import Capture, attach, describe

_OWN = frozenset(vars(Context)) | {"lang", "task", "argsrepr", "kwargsrepr", "compression"}
"""What in a request is no header of the sender's. Celery works that out anew for each run; here it is known."""


class Traced(NamedTuple):
    """The tracer's answer, as Celery's requests read it, with the capture behind it."""

    failed: int
    value: Any
    """An :class:`ExceptionInfo` when it failed, else the result's text."""
    seconds: float
    capture: Capture


def trace(task: str, run_id: str, request: dict[str, Any], *rest: Any, **options: Any) -> Traced:
    """Run a task in a process whose registry Celery has prepared, which is the rule."""
    return _traced(fast_trace_task, task, run_id, request, *rest, **options)


def trace_unprepared(task: str, run_id: str, request: dict[str, Any], *rest: Any, **options: Any) -> Traced:
    """Run a task in a process without that registry."""
    return _traced(trace_task_ret, task, run_id, request, *rest, **options)


def _traced(tracer: Any, task: str, run_id: str, request: dict[str, Any], *rest: Any, **options: Any) -> Traced:
    capture = Capture()
    request = {
        **request,
        "delivery_info": attach(request.get("delivery_info"), capture),
        "headers": request.get("headers") or {name: value for name, value in request.items() if name not in _OWN},
    }
    try:
        failed, value, seconds = tracer(task, run_id, request, *rest, **options)
    except Exception:
        # What leaves the tracer (a MemoryError, a Reject from a handler) would end a solo worker.
        failed, value, seconds = 1, ExceptionInfo(), 0.0
    if failed:
        capture.error = describe(value)
    return Traced(failed, value, seconds or 0.0, capture)
