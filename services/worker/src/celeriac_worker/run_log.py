"""What the log says of runs: every line inside one names it, and none shows what went in or came out."""

import logging
from typing import Any, Final

import structlog
from celery import Task, signals

HIDDEN: Final = "(not shown; see CELERIAC_LOG_ARGUMENTS)"
_BOUND: Final = ("task_id", "task_name", "request_id")


def install(*, show_arguments: bool) -> None:
    """Bind each run's names to the log's context, and hide return values unless *show_arguments*."""
    signals.task_prerun.connect(_bind)
    signals.task_postrun.connect(_unbind)
    if not show_arguments:
        logging.getLogger("celery.app.trace").addFilter(_hide)


def _bind(task_id: str, task: "Task[..., Any]", **_: Any) -> None:
    names = {"task_id": task_id, "task_name": task.name, "request_id": getattr(task.request, "request_id", None)}
    structlog.contextvars.bind_contextvars(**{name: value for name, value in names.items() if value})


def _unbind(**_: Any) -> None:
    structlog.contextvars.unbind_contextvars(*_BOUND)


def _hide(record: logging.LogRecord) -> bool:
    """Keep the record, without the return value that Celery puts into its message of success."""
    if isinstance(record.args, dict) and "return_value" in record.args:
        record.args = {**record.args, "return_value": HIDDEN}
    return True
