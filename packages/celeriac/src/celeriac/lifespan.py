"""Clients that live as long as the process: opened once, shared by its tasks, closed at its end.

::

    @lifespan
    async def clients() -> AsyncIterator[Clients]:
        async with httpx.AsyncClient() as http:
            yield Clients(http)


    @shared_task
    async def fetch(url: str) -> int:
        return (await (await clients()).http.get(url)).status_code

A lifespan opens when it is first awaited, on the event loop that the process keeps for all its async tasks. That is
after fork, and a server that is away fails the tasks that need it, not the worker. One that failed to open is tried
again by the next to await it. It is opened and closed in one asyncio task of its own, as anyio's task groups demand,
and in a clean context, so that nothing of the run that came first stays in the shared client.
"""

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

logger = logging.getLogger(__name__)

T = TypeVar("T")

CLOSE_SECONDS = 5.0
"""How long one lifespan may take to close."""


class _Held(Generic[T]):
    """A lifespan that is open (or opening) on one event loop."""

    def __init__(self, manager: AbstractAsyncContextManager[T], name: str, opened: Callable[[], None]) -> None:
        self.name = name
        self._opened = opened
        self.value: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.closing = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(
            self._hold(manager), name=f"lifespan {name}", context=contextvars.Context()
        )

    async def _hold(self, manager: AbstractAsyncContextManager[T]) -> None:
        try:
            async with manager as value:
                self._opened()
                self.value.set_result(value)
                await self.closing.wait()
        except BaseException as error:
            if self.value.done():
                raise
            self.value.set_exception(error)
            self.value.exception()  # marks it as seen: a waiter may be gone by now

    @property
    def failed(self) -> bool:
        return self.value.done() and self.value.exception() is not None

    async def close(self) -> None:
        self.closing.set()
        try:
            await asyncio.wait_for(self.task, CLOSE_SECONDS)
        except Exception:
            logger.exception("lifespan %s did not close", self.name)


_open: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, _Held[Any]]] = WeakKeyDictionary()


class Lifespan(Generic[T]):
    """Something opened once per process. Await a call of it to get it."""

    def __init__(self, manager: Callable[[], AbstractAsyncContextManager[T]], name: str) -> None:
        self._manager = manager
        self.__name__ = name

    async def __call__(self) -> T:
        """Return what the lifespan yields, opening it if it is not open."""
        held = _open.setdefault(asyncio.get_running_loop(), {})
        mine: _Held[T] | None = held.get(self)
        if mine is None or mine.failed:
            held.pop(self, None)
            mine = held[self] = _Held(self._manager(), self.__name__, lambda: self._move_to_end(held))
        return await asyncio.shield(mine.value)

    def _move_to_end(self, held: "dict[Any, _Held[Any]]") -> None:
        # One that awaits another while it opens is closed before that other.
        held[self] = held.pop(self)


def lifespan(function: Callable[[], AsyncIterator[T]]) -> Lifespan[T]:
    """Make a lifespan of an async generator function that yields once."""
    return Lifespan(asynccontextmanager(function), function.__name__)


def holds(task: "asyncio.Task[Any]") -> bool:
    """Tell whether *task* of the running loop keeps a lifespan open."""
    return any(held.task is task for held in _open.get(asyncio.get_running_loop(), {}).values())


async def close() -> None:
    """Close what is open on the running loop, the last opened first."""
    held = _open.pop(asyncio.get_running_loop(), {})
    for each in reversed(list(held.values())):
        await each.close()


@asynccontextmanager
async def lifespans() -> AsyncIterator[None]:
    """Close at the end what was opened within; for tests, and for programs with a loop of their own."""
    try:
        yield
    finally:
        await close()
