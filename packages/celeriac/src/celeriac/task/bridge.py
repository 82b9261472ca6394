"""``async def`` tasks under the pools that know nothing of them: prefork, solo, threads, gevent.

One event loop per process runs all their coroutines, in a thread of its own and for as long as the process lives, so
that a client opened in one task serves the next. The run's thread waits for its coroutine.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, TypeVar

from celery import signals

from celeriac.task.identity import bearer, identity
from celeriac.task.interrupt import HardLimit, SoftLimit, outcome
from celeriac.task.limits import Limits
from celeriac.task.loop import LoopThread

T = TypeVar("T")


class Interruptible(Coroutine[Any, Any, T]):
    """A coroutine that gets *interrupt* in place of the next cancellation, when that is set."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self.interrupt: asyncio.CancelledError | None = None

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        if isinstance(error, asyncio.CancelledError) and self.interrupt is not None:
            error, self.interrupt = self.interrupt, None
        return self._coroutine.throw(error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Any:
        return self._coroutine.__await__()


class Bridge:
    """Runs coroutines on the process's loop for threads that wait."""

    def __init__(self, loop_thread: LoopThread) -> None:
        self._loop_thread = loop_thread
        self._tasks: set[asyncio.Task[Any]] = set()
        self._nested: LoopThread | None = None

    def here(self) -> bool:
        """Tell whether the caller runs on this bridge's loop."""
        return self._loop_thread.here()

    def run(self, coroutine: Coroutine[Any, Any, T], limits: Limits = Limits()) -> T:  # noqa: B008 immutable
        """Run *coroutine* to its end and return what it returns. Limits and interruptions cancel it.

        On the loop itself, where ``apply()`` inside a coroutine comes from, it runs on a loop of its own while this
        one waits: that is what eager means.
        """
        loop_thread = self._loop_thread
        if loop_thread.here():
            self._nested = self._nested or _started("celeriac-eager")
            loop_thread = self._nested
        return _Call(loop_thread, coroutine, limits, self._tasks).result()

    def stop(self) -> None:
        """Cancel what runs, close lifespans and end the loop."""
        for loop_thread in (self._nested, self._loop_thread):
            if loop_thread is not None:
                loop_thread.stop()


class _Call(Future[T]):
    """One coroutine on its way through the loop."""

    def __init__(
        self,
        loop_thread: LoopThread,
        coroutine: Coroutine[Any, Any, T],
        limits: Limits,
        tasks: set[asyncio.Task[Any]],
    ) -> None:
        super().__init__()
        self._loop_thread = loop_thread
        self._body = Interruptible(coroutine)
        self._limits = limits
        self._tasks = tasks
        self._task: asyncio.Task[T] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._passed_hard_limit = False
        self._context = copy_context()
        self._context.run(bearer.set, identity())
        loop_thread.call(self._begin)

    def result(self, timeout: float | None = None) -> T:
        """Wait for the coroutine. An exception raised in the waiting thread (a limit's signal) interrupts it."""
        try:
            return super().result(timeout)
        except BaseException as error:
            if self.done():
                raise
            return self._interrupt_by(error)

    def _interrupt_by(self, error: BaseException) -> T:
        from billiard.exceptions import SoftTimeLimitExceeded

        if isinstance(error, SoftTimeLimitExceeded):
            self._loop_thread.call(self._cancel, SoftLimit(*error.args))
            return super().result()  # the coroutine may catch it and still succeed
        self._loop_thread.call(self._cancel, None)
        raise error

    def _begin(self) -> None:
        loop = self._loop_thread.loop
        self._task = task = loop.create_task(self._body, context=self._context)
        self._tasks.add(task)
        if self._limits.soft:
            self._timers.append(loop.call_later(self._limits.soft, self._cancel, SoftLimit(self._limits.soft)))
        if self._limits.hard:
            self._timers.append(loop.call_later(self._limits.hard, self._end_by_hard_limit, self._limits.hard))
        task.add_done_callback(self._finish)

    def _end_by_hard_limit(self, seconds: float) -> None:
        self._passed_hard_limit = True
        self._cancel(HardLimit(seconds))

    def _cancel(self, interrupt: asyncio.CancelledError | None) -> None:
        if self._task is not None and not self._task.done():
            self._body.interrupt = interrupt
            self._task.cancel()

    def _finish(self, task: "asyncio.Task[T]") -> None:
        self._tasks.discard(task)
        for timer in self._timers:
            timer.cancel()
        try:
            value = task.result()
        except asyncio.CancelledError as error:
            self.set_exception(outcome(error).with_traceback(error.__traceback__))
        except BaseException as error:
            self.set_exception(error)
        else:
            if self._passed_hard_limit:
                self.set_exception(outcome(HardLimit(self._limits.hard)))
            else:
                self.set_result(value)


_lock = threading.Lock()
_bridges: dict[int, Bridge] = {}


def _started(name: str) -> LoopThread:
    loop_thread = LoopThread(name)
    loop_thread.start()
    return loop_thread


def bridge() -> Bridge:
    """Return this process's bridge, made at first use. A forked child makes its own."""
    found = _bridges.get(os.getpid())
    if found is None:
        with _lock:
            found = _bridges.get(os.getpid())
            if found is None:
                found = _bridges[os.getpid()] = Bridge(_started("celeriac-loop"))
                signals.worker_process_shutdown.connect(_on_shutdown)
                signals.worker_shutdown.connect(_on_shutdown)
    return found


def use(loop_thread: LoopThread) -> None:
    """Make *loop_thread* this process's loop: the asyncio pool's, so that all share one."""
    _bridges[os.getpid()] = Bridge(loop_thread)


def close() -> None:
    """End this process's loop, if it has one."""
    found = _bridges.pop(os.getpid(), None)
    if found is not None:
        found.stop()


def _on_shutdown(**_: Any) -> None:
    """Close when Celery says that this process ends: lifespans promise to."""
    close()


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 the parent's may be held by a thread that the child does not have
    _lock = threading.Lock()
    _bridges.clear()


os.register_at_fork(after_in_child=_after_fork)
