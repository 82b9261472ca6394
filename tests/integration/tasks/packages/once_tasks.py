"""Tasks whose bodies leave a mark in Redis each time they run."""

import asyncio
import os
import signal
import time
from datetime import timedelta
from typing import Any

from celery import Task, current_app, shared_task

from celeriac.idempotency import once
from celeriac.redis import connect


def mark(name: str) -> int:
    with connect(current_app.conf["celeriac_redis"]) as client:
        return int(client.incr(f"mark:{name}"))


@shared_task(max_retries=30)
@once(key=lambda order, *_: order, window=timedelta(days=1))
def charge(order: str, seconds: float = 0) -> dict[str, Any]:
    mark(order)
    time.sleep(seconds)
    return {"charged": order}


@shared_task(bind=True, max_retries=30)
@once(key=lambda order: order, window=timedelta(days=1))
async def charge_async(self: Task[..., Any], order: str) -> dict[str, Any]:
    mark(order)
    await asyncio.sleep(0.05)
    return {"charged": order, "run": self.request.id}


@shared_task(max_retries=30)
@once(key=lambda order: order, window=timedelta(days=1))
def fail_first(order: str) -> str:
    if mark(order) == 1:
        raise ValueError("the first attempt fails")
    return order


@shared_task(max_retries=30)
@once(key=lambda order: order, window=timedelta(days=1))
def die_first(order: str) -> str:
    if mark(order) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return order


@shared_task
@once(key=lambda order: order, window=timedelta(seconds=1))
def charge_briefly(order: str) -> int:
    return mark(order)
