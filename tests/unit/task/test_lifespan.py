import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar

import pytest

from celeriac.lifespan import lifespan, lifespans

request_id: ContextVar[str] = ContextVar("request_id", default="nobody's")


async def test_opens_once_for_all_and_closes_at_the_end() -> None:
    events = []

    @lifespan
    async def client() -> AsyncIterator[str]:
        events.append("open")
        await asyncio.sleep(0)
        yield "client"
        events.append("close")

    async with lifespans():
        assert set(await asyncio.gather(*(client() for _ in range(10)))) == {"client"}
        assert events == ["open"]
    assert events == ["open", "close"]


async def test_what_is_used_to_open_another_is_closed_after_it() -> None:
    events = []

    @lifespan
    async def pool() -> AsyncIterator[str]:
        yield "pool"
        events.append("pool")

    @lifespan
    async def store() -> AsyncIterator[str]:
        yield f"store on {await pool()}"
        events.append("store")

    async with lifespans():
        assert await store() == "store on pool"
    assert events == ["store", "pool"]


async def test_a_failure_is_the_callers_and_the_next_tries_again() -> None:
    attempts = []

    @lifespan
    async def database() -> AsyncIterator[str]:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError("not there yet")
        yield "database"

    async with lifespans():
        with pytest.raises(ConnectionError, match="not there yet"):
            await database()
        assert await database() == "database"


async def test_nothing_of_the_first_caller_stays_in_it() -> None:
    @lifespan
    async def seen() -> AsyncIterator[str]:
        yield request_id.get()

    request_id.set("mine")
    async with lifespans():
        assert await seen() == "nobody's"


async def test_a_caller_that_is_cancelled_does_not_stop_the_opening() -> None:
    go = asyncio.Event()

    @lifespan
    async def slow() -> AsyncIterator[str]:
        await go.wait()
        yield "open"

    async with lifespans():
        first = asyncio.create_task(slow())
        await asyncio.sleep(0)
        first.cancel()
        go.set()
        assert await slow() == "open"


async def test_one_that_fails_to_close_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    closed = []

    @lifespan
    async def first() -> AsyncIterator[None]:
        yield
        closed.append("first")

    @lifespan
    async def broken() -> AsyncIterator[None]:
        yield
        raise RuntimeError("stuck")

    async with lifespans():
        await first()
        await broken()
    assert closed == ["first"]
    assert "lifespan broken did not close" in caplog.text
