"""Tasks of every kind, for the drills: laid into the worker's image as /tasks/drill.py."""

import asyncio
import time
from typing import Any

from celery import Task, chain, chord, shared_task


class NotYetError(Exception):
    """A first attempt that fails on purpose."""


@shared_task
def short(number: int) -> int:
    return number


@shared_task
def nap(number: int) -> int:
    """Work for five seconds."""
    time.sleep(5)
    return number


@shared_task
async def wait(number: int) -> int:
    await asyncio.sleep(0.5)
    return number


@shared_task(bind=True, max_retries=3)
def again(self: Task[..., Any], number: int) -> int:
    """Fail once, and succeed after a delay that outlives this worker's memory."""
    if self.request.retries == 0:
        raise self.retry(exc=NotYetError(), countdown=3)
    return number


@shared_task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task
def increment(number: int) -> int:
    return number + 1


@shared_task
def in_chain(number: int) -> dict[str, Any]:
    """Send a chain; its last run is followed by the drill."""
    last = chain(increment.s(number), increment.s(), increment.s()).apply_async()
    return {"follow": last.id, "expect": number + 3}


@shared_task
def in_chord(number: int) -> dict[str, Any]:
    """Send a chord; its body is followed by the drill."""
    body = chord([short.s(number), short.s(number), short.s(number)])(total.s())
    return {"follow": body.id, "expect": 3 * number}


@shared_task
def fail(number: int) -> None:
    """End as a failure."""
    raise NotYetError(number)


@shared_task
def burn(seconds: float) -> float:
    """Keep a core busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(10_000))
    return seconds
