"""The application that worker processes of these tests load."""

import asyncio
import os
import signal
import time
import uuid
from typing import Any

import redis
from celery import chain
from celery.exceptions import SoftTimeLimitExceeded

from celeriac.app import create_app
from celeriac.settings import load
from celeriac.task import cancelled

app = create_app(load(), "worker")

LEAVE_ONCE = "if redis.call('SADD', KEYS[2], ARGV[2]) == 1 then redis.call('RPUSH', KEYS[1], ARGV[1]) end"


def note(name: str, value: str) -> None:
    """Leave a word for the test, beside everything the platform writes.

    A client whose connection a test cuts sends again what it got no answer to: the word is left once all the same.
    """
    with redis.Redis(port=int(os.environ["TEST_PORT"])) as client:
        client.eval(LEAVE_ONCE, 2, f"test:{name}", "test:notes", value, str(uuid.uuid4()))


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task(bind=True)
def nap(self: Any, seconds: float) -> float:
    note("started", self.request.id)
    time.sleep(seconds)
    note("ended", self.request.id)
    return seconds


@app.task(bind=True)
def rest(self: Any, seconds: float) -> None:
    note("started", self.request.id)
    time.sleep(seconds)


@app.task
def pause(seconds: float) -> float:
    """Wait, without a word to Redis."""
    time.sleep(seconds)
    return seconds


@app.task
def send_chain(seconds: float) -> str:
    """Send a chain whose link is sent *seconds* later; return its last run's id."""
    return str(chain(pause.s(seconds), add.s(1)).apply_async().id)


@app.task
def send_late(seconds: float) -> str:
    """Send a run after *seconds*; return its id."""
    time.sleep(seconds)
    return str(add.delay(1, 1).id)


@app.task
def fail(message: str) -> None:
    raise ValueError(message)


@app.task(bind=True, max_retries=5)
def flaky(self: Any, failures: int, countdown: float) -> int:
    note("attempts", self.request.id)
    if self.request.retries < failures:
        raise self.retry(exc=ConnectionError("not yet"), countdown=countdown)
    return int(self.request.retries)


@app.task
def draw(size: int) -> dict[str, Any]:
    return {"size": size, "artifacts": {"chart.png": {"content_type": "image/png", "data": b"\xff" * size}}}


@app.task
def bulky(size: int) -> str:
    return "x" * size


@app.task
def die() -> None:
    note("died", str(os.getpid()))
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
def exhaust() -> None:
    raise MemoryError("all gone")


@app.task(bind=True)
def report(self: Any) -> str:
    self.update_state(state="HALFWAY", meta={"done": 1, "of": 2})
    note("reported", self.request.id)
    with redis.Redis(port=int(os.environ["TEST_PORT"])) as client:
        client.blpop(["test:go"], timeout=30)
    return "done"


@app.task(bind=True)
def advance(self: Any, steps: int) -> int:
    for step in range(steps):
        self.update_state(state="HALFWAY", meta={"done": step})
        note("steps", self.request.id)
        time.sleep(0.05)
    return steps


@app.task(bind=True)
async def advance_async(self: Any, steps: int) -> int:
    for step in range(steps):
        self.update_state(state="HALFWAY", meta={"done": step})
        await asyncio.to_thread(note, "steps", self.request.id)
        await asyncio.sleep(0.05)
    return steps


@app.task(bind=True)
async def nap_async(self: Any, seconds: float) -> float:
    await asyncio.to_thread(note, "started", self.request.id)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(note, "ended", self.request.id)
    return seconds


@app.task(time_limit=2, soft_time_limit=1, acks_on_failure_or_timeout=os.environ.get("TEST_ACKS_ON_TIMEOUT") != "0")
def overrun() -> None:
    note("overran", "")
    for _ in range(2):
        try:
            time.sleep(30)
        except SoftTimeLimitExceeded:
            continue


@app.task
def forward(x: int) -> str:
    return str(add.delay(x, 1).id)


@app.task(bind=True)
def become(self: Any, x: int) -> Any:
    return self.replace(add.s(x, 10))


@app.task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(bind=True)
def unfold(self: Any, x: int) -> Any:
    return self.replace(add.s(x, 1) | add.s(10))


@app.task(rate_limit="2/s")
def rationed() -> None:
    note("rationed", str(time.time()))


@app.task(bind=True)
def unfold_badly(self: Any) -> Any:
    return self.replace(fail.s("halfway") | add.s(10))


@app.task(bind=True)
def stoppable(self: Any, seconds: float) -> str:
    """Works in steps, and looks between them whether it is to stop."""
    note("started", self.request.id)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if cancelled():
            note("stopped", self.request.id)
            return "stopped half way"
        time.sleep(0.05)
    note("ended", self.request.id)
    return "done"


@app.task(bind=True)
async def stoppable_async(self: Any, seconds: float) -> str:
    await asyncio.to_thread(note, "started", self.request.id)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if cancelled():
            await asyncio.to_thread(note, "stopped", self.request.id)
            return "stopped half way"
        await asyncio.sleep(0.05)
    await asyncio.to_thread(note, "ended", self.request.id)
    return "done"
