"""Tasks that show what the asyncio pool does."""

import asyncio
import os
import random
import resource
import time
from collections.abc import AsyncIterator
from typing import Any

import redis
import redis.asyncio
import structlog
from celery import current_task, shared_task
from opentelemetry import baggage, context

from celeriac.lifespan import lifespan

URL = os.environ.get("CELERIAC_REDIS_URL", "")


@lifespan
async def client() -> AsyncIterator["redis.asyncio.Redis"]:
    """One Redis client for all tasks of the process."""
    async with redis.asyncio.Redis.from_url(URL, max_connections=1000) as connected:
        await connected.rpush("test:lifespan", "open")
        yield connected
        await connected.rpush("test:lifespan", "close")


@shared_task
async def uses_client() -> int:
    shared = await client()
    await shared.incr("test:uses")
    return id(shared)


@shared_task(ignore_result=True)
async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


@shared_task(ignore_result=True)
async def counted(seconds: float) -> None:
    shared = await client()
    await asyncio.sleep(seconds)
    await shared.incr("test:counted")


@shared_task
async def memory() -> int:
    """Peak RSS in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@shared_task
async def block(seconds: float) -> None:
    time.sleep(seconds)  # noqa: ASYNC251 what must be reported


@shared_task(bind=True)
async def isolated(self: Any) -> list[str]:
    """Return what is another run's and not this one's."""
    mine: str = self.request.id
    structlog.contextvars.bind_contextvars(run=mine)
    context.attach(baggage.set_baggage("run", mine))
    wrong: list[str] = []

    def look(where: str) -> None:
        seen = {
            "request": self.request.id,
            "current_task": current_task.request.id,
            "structlog": structlog.contextvars.get_contextvars().get("run"),
            "opentelemetry": baggage.get_baggage("run"),
        }
        wrong.extend(f"{where}: {name} is {value}" for name, value in seen.items() if value != mine)

    async def inner(depth: int) -> None:
        await asyncio.sleep(random.random() / 50)
        look(f"depth {depth}")
        if depth < 3:
            await asyncio.gather(inner(depth + 1), inner(depth + 1))

    await inner(0)
    await asyncio.to_thread(look, "thread")
    self.update_state(state="PROGRESS", meta={"run": mine})
    look("after update_state")
    return wrong


@shared_task(bind=True)
async def reporting(self: Any, times: int) -> None:
    """Writes its state from within the coroutine."""
    for number in range(times):
        self.update_state(state="PROGRESS", meta={"number": number})


@shared_task
async def submitting() -> str:
    """Submits another from within the coroutine."""
    return str(sleep.delay(0).id)


@shared_task
async def longest_gap(seconds: float) -> float:
    """The longest time between two turns of the event loop that the task saw."""
    end = time.monotonic() + seconds
    longest, before = 0.0, time.monotonic()
    while before < end:
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, before = max(longest, now - before - 0.01), now
    return longest


@shared_task
def blocking(seconds: float) -> str:
    """Not async def: runs in a thread."""
    time.sleep(seconds)
    return "done"
