"""An event loop in a thread of its own."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

from celeriac import lifespan

logger = logging.getLogger(__name__)

_START_SECONDS = 10.0
_CLOSE_SECONDS = 10.0
_CANCEL_SECONDS = 3.0


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a uvloop loop where uvloop is installed, else asyncio's own.

    Under gevent it is asyncio's: its waiting goes through the patched ``select``, while uvloop would block the hub.
    """
    if not _gevent_patched():
        try:
            import uvloop
        except ImportError:
            pass
        else:
            return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def _gevent_patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


_turning: dict[asyncio.AbstractEventLoop, "LoopThread"] = {}


def here() -> bool:
    """Tell whether the caller runs on an event loop.

    A running loop is per OS thread. Under gevent one that a LoopThread turns would seem to run in every greenlet.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return False
    ours = _turning.get(loop)
    return ours is None or ours.here()


class LoopThread:
    """Runs an event loop until stopped, then closes lifespans and cancels what still runs on it."""

    def __init__(self, name: str) -> None:
        self._started = threading.Event()
        self._greenlet: greenlet | None = None
        self.loop: asyncio.AbstractEventLoop = new_event_loop()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start, and return once the loop turns."""
        self.thread.start()
        if not self._started.wait(_START_SECONDS):
            raise RuntimeError(f"the event loop of {self.thread.name} did not start within {_START_SECONDS:g} s")

    def here(self) -> bool:
        """Tell whether the caller runs on this loop."""
        return getcurrent() is self._greenlet

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Have the loop call *function* soon. Callable from any thread.

        Raises:
            RuntimeError: the loop is closed.
        """
        self.loop.call_soon_threadsafe(function, *args)

    def stop(self) -> None:
        """Close what runs on the loop, end the thread and wait for it."""
        if self.thread.is_alive():
            self.call(self.loop.stop)
            self.thread.join(_CLOSE_SECONDS + 1)

    def _run(self) -> None:
        self._greenlet = getcurrent()
        _turning[self.loop] = self
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._started.set)
        try:
            self.loop.run_forever()
        finally:
            try:
                self.loop.run_until_complete(self._close())
            except Exception:
                logger.exception("what ran on the event loop did not close")
            finally:
                del _turning[self.loop]
                asyncio.set_event_loop(None)
                self.loop.close()

    async def _close(self) -> None:
        async with asyncio.timeout(_CLOSE_SECONDS):
            ours = asyncio.current_task()
            # Those that a lifespan holds are ended by closing it, below.
            left = [task for task in asyncio.all_tasks() if task is not ours and not lifespan.holds(task)]
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=_CANCEL_SECONDS)
            await lifespan.close()
            await self.loop.shutdown_asyncgens()
            await self.loop.shutdown_default_executor()
