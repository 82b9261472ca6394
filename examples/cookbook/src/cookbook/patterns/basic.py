"""A task, an ``async def`` task, and a task with every option."""

import asyncio
from typing import Any

from celery import Task, shared_task


@shared_task
def add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y


@shared_task
async def fetch(key: str, seconds: float = 0.1) -> dict[str, str]:
    """Wait without holding a thread, as a call to another service would.

    Plain Celery cannot run this: it fails to encode the coroutine, or with ``ignore_result`` reports a success for
    work that never began. A Celeriac worker runs it in every pool.
    """
    await asyncio.sleep(seconds)
    return {"fetched": key}


@shared_task(
    bind=True,
    name="cookbook.process_data",
    max_retries=3,
    default_retry_delay=60,
    soft_time_limit=300,
    time_limit=600,
    ignore_result=False,
    track_started=True,
    acks_late=True,
    reject_on_worker_lost=True,
    rate_limit="100/s",
)
def process_data(self: Task[..., Any], data: dict[str, Any]) -> dict[str, Any]:
    """Show what a bound task knows of its own run."""
    return {"data": data, "run": self.request.id, "attempt": self.request.retries + 1}
