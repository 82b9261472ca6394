import asyncio
import inspect
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, current_task
from celery import Task as PlainTask
from celery._state import pop_current_task, push_current_task  # type: ignore[attr-defined]
from celery.exceptions import SoftTimeLimitExceeded
from pydantic import BaseModel

from celeriac.errors import ConfigurationError, MemoryExhaustedError
from celeriac.task import bridge, check_bases


@pytest.fixture(scope="module")
def app() -> Iterator[Celery]:
    yield Celery("body", task_cls="celeriac.task:Task", set_as_current=False)
    bridge.close()


def test_sync_callers_get_the_result(app: Celery) -> None:
    @app.task
    async def add(a: int, b: int) -> int:
        await asyncio.sleep(0)
        return a + b

    assert add(1, 2) == 3
    assert add.apply((1, 2)).get() == 3
    assert add.is_async  # type: ignore[attr-defined]


async def test_callers_on_a_loop_get_a_coroutine(app: Celery) -> None:
    @app.task
    async def thread() -> str:
        return threading.current_thread().name

    assert await thread() == threading.current_thread().name


async def test_eager_calls_do_not_need_the_callers_loop(app: Celery) -> None:
    @app.task(bind=True)
    async def inner(self: object) -> str:
        return str(current_task.name)

    @app.task
    async def outer() -> str:
        return str(inner.apply().get(disable_sync_subtasks=False))

    assert outer.apply().get() == inner.name


def test_the_loop_lives_on(app: Celery) -> None:
    @app.task
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    assert loop() == loop.apply().get()


def test_autoretry_sees_what_a_coroutine_raises(app: Celery) -> None:
    attempts = []

    @app.task(autoretry_for=(ValueError,), max_retries=2, default_retry_delay=0)
    async def flaky() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError
        return "done"

    assert flaky.apply().get() == "done"
    assert len(attempts) == 3


def test_context_in_what_a_coroutine_spawns(app: Celery) -> None:
    @app.task(bind=True)
    async def spawn(self: "object") -> list[object]:
        async def inner() -> object:
            return current_task.request.id

        return [
            current_task.request.id,
            await asyncio.create_task(inner()),
            await asyncio.to_thread(lambda: current_task.request.id),
        ]

    assert spawn.apply(task_id="a run").get() == ["a run"] * 3


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_memory_error_is_a_failure(app: Celery, kind: str) -> None:
    def blocking() -> None:
        raise MemoryError("no room")

    async def coroutine() -> None:
        blocking()

    task = app.task(name=f"memory.{kind}")(blocking if kind == "sync" else coroutine)
    result = task.apply()
    assert result.state == "FAILURE"
    assert isinstance(result.result, MemoryExhaustedError)


class Total(BaseModel):
    cents: int


def test_pydantic_models_are_dumped(app: Celery) -> None:
    @app.task(pydantic=True)
    async def double(total: Total) -> Total:
        return Total(cents=2 * total.cents)

    assert double.apply(({"cents": 2},)).get() == {"cents": 4}


def test_signature_and_argument_check_stay(app: Celery) -> None:
    @app.task(bind=True)
    async def task(self: object, year: int, *, month: int = 1) -> None: ...

    assert list(inspect.signature(task.run).parameters) == ["year", "month"]
    with pytest.raises(TypeError, match="year"):
        task.delay()


def test_a_swallowed_cancellation_of_its_own_is_a_failure_not_a_crash(app: Celery) -> None:
    @app.task
    async def stop() -> None:
        asyncio.current_task().cancel()  # type: ignore[union-attr]
        await asyncio.sleep(60)

    result = stop.apply()
    assert type(result.result).__name__ == "StoppedFromWithinError"


def test_soft_limit_is_enforced_where_no_pool_does(app: Celery) -> None:
    @app.task
    async def wait() -> str:
        try:
            await asyncio.sleep(60)
        except SoftTimeLimitExceeded:
            return "cleaned up"
        return "too late"

    wait.soft_time_limit = 0.05  # type: ignore[assignment]  # Celery takes fractions
    push_current_task(wait)
    wait.push_request(called_directly=False)
    try:
        assert wait.run() == "cleaned up"
    finally:
        wait.pop_request()
        pop_current_task()


def test_an_async_task_on_a_foreign_base_is_refused() -> None:
    class Theirs(PlainTask[Any, Any]):
        abstract = True

    app = Celery("foreign", task_cls="celeriac.task:Task", set_as_current=False)

    async def wait() -> None: ...

    app.task(base=Theirs, name="wait", shared=False)(wait)
    with pytest.raises(ConfigurationError, match=r"'wait' is async def.*Theirs.*celeriac\.task\.Task"):
        check_bases(app)
