"""A task with structured logs. A worker adds ``task_id``, ``task_name`` and ``request_id`` to each of its lines."""

from typing import Any

import structlog
from celery import shared_task

log = structlog.get_logger(__name__)


@shared_task
def logged(data: dict[str, Any]) -> int:
    """Say what happens in events and counts; what a caller sent is not for the log."""
    log.info("processing", fields=len(data))
    if data.get("fail"):
        log.error("cannot process")
        raise ValueError("the data cannot be processed")
    log.info("processed")
    return len(data)
