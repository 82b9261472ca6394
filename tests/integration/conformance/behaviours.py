"""The tasks of the conformance suite."""

import contextlib
import os
import time
from contextvars import ContextVar
from typing import Any

import redis
from billiard.exceptions import SoftTimeLimitExceeded
from celery import current_task, signals
from celery.exceptions import Ignore, Reject
from tests.integration.conformance.both import both, pause

from celeriac.task import cancelled

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def note(key: str, value: object) -> None:
    """Leave a trace for the test to find."""
    with redis.Redis.from_url(os.environ["CELERIAC_REDIS_URL"]) as client:
        client.rpush(f"test:{key}", str(value))


class DeclinedError(Exception):
    """An exception of the task's own package."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _on_signal(name: str) -> None:
    def receive(sender: Any = None, task_id: str | None = None, request: Any = None, **_: Any) -> None:
        if getattr(sender, "name", "").startswith("signalled"):
            note(f"signals:{task_id or getattr(request, 'id', None) or sender.request.id}", name)

    getattr(signals, name).connect(receive, weak=False)


for _name in ("task_prerun", "task_postrun", "task_success", "task_failure", "task_retry"):
    _on_signal(_name)


@both(bind=True)
async def bound(self: Any, x: int) -> dict[str, Any]:
    await pause(0.01)
    return {"id": self.request.id, "current": current_task.request.id, "name": self.name, "args": self.request.args}


@both(bind=True, max_retries=2)
async def retried(self: Any, succeeds: bool) -> int:
    note(f"runs:{self.request.id}", self.request.retries)
    await pause(0.01)
    if succeeds and self.request.retries == 2:
        return int(self.request.retries)
    raise self.retry(countdown=0.1, exc=DeclinedError(7))


@both(
    bind=True,
    autoretry_for=(DeclinedError,),
    max_retries=2,
    retry_backoff=1,
    retry_jitter=False,
    retry_backoff_max=1,
)
async def autoretried(self: Any) -> int:
    note(f"runs:{self.request.id}", self.request.retries)
    await pause(0.01)
    if self.request.retries < 2:
        raise DeclinedError(7)
    return int(self.request.retries)


@both(soft_time_limit=1, time_limit=30)
async def softly_limited(catches: bool) -> str:
    try:
        await pause(3)
    except SoftTimeLimitExceeded:
        if not catches:
            raise
        return "cleaned up"
    return "not interrupted"


@both(soft_time_limit=1, time_limit=2)
async def hard_limited() -> str:
    with contextlib.suppress(SoftTimeLimitExceeded):
        await pause(4)
    await pause(4)
    return "not interrupted"


@both()
async def ignored(key: str) -> None:
    await pause(0.01)
    note(key, "ran")
    raise Ignore


@both(bind=True)
async def rejected(self: Any, requeue: bool) -> str:
    note(f"runs:{self.request.id}", "ran")
    await pause(0.01)
    with redis.Redis.from_url(os.environ["CELERIAC_REDIS_URL"]) as client:
        runs = client.llen(f"test:runs:{self.request.id}")
    if runs == 1 or not requeue:
        raise Reject("not today", requeue=requeue)
    return f"run {runs}"


@both()
async def noted(key: str, seconds: float = 0) -> str:
    note(key, "began")
    await pause(seconds)
    note(key, "ended")
    return "ended"


@both(bind=True)
async def updating(self: Any, key: str) -> str:
    self.update_state(state="PROGRESS", meta={"done": 1})
    note(key, "updated")
    for _ in range(500):
        with redis.Redis.from_url(os.environ["CELERIAC_REDIS_URL"]) as client:
            if client.exists(f"test:{key}:seen"):
                return "seen"
        await pause(0.02)
    return "not seen"


@both()
async def added(a: int, b: int) -> int:
    await pause(0.01)
    return a + b


@both()
async def total(numbers: list[int]) -> int:
    await pause(0.01)
    return sum(numbers)


@both(throws=(DeclinedError,))
async def failing(code: int) -> None:
    await pause(0.01)
    raise DeclinedError(code)


@both()
async def error_noted(request: Any, error: Any, traceback: Any, key: str) -> None:
    note(key, f"{request.id} {type(error).__name__}")


@both(bind=True, max_retries=1)
async def signalled(self: Any, fails: bool) -> str:
    await pause(0.01)
    if not self.request.retries:
        raise self.retry(countdown=0.1)
    if fails:
        raise DeclinedError(7)
    return "done"


@both(rate_limit="4/s")
async def rate_limited(key: str) -> None:
    note(key, time.time())


@both(bind=True)
async def parent(self: Any, queue: str) -> str:
    await pause(0.01)
    kind = self.name.rpartition(".")[2]
    return str(self.app.tasks[f"child.{kind}"].apply_async(queue=queue).id)


@both(bind=True)
async def child(self: Any) -> list[str]:
    await pause(0.01)
    return [self.request.parent_id, self.request.root_id]


@both()
async def out_of_memory() -> None:
    await pause(0.01)
    raise MemoryError("no room")


@both()
async def process_id() -> int:
    await pause(0.01)
    return os.getpid()


@both()
async def leaking(value: str) -> str | None:
    before = _request_id.get()
    _request_id.set(value)
    await pause(0.05)
    return before if _request_id.get() == value else "changed by another"


@both(bind=True)
async def cancellable(self: Any, key: str) -> str:
    note(key, "began")
    for _ in range(100):
        if cancelled():
            note(key, "stopped")
            return "stopped"
        await pause(0.1)
    return "never told"
