"""The seam between Celery's blocking tracer and what carries a run in the asyncio pool.

The tracer of an ``async def`` task is ordinary blocking code. It runs in a greenlet, and so does the task's
coroutine, stepped from there; what the coroutine awaits is handed up to the event loop's own greenlet, which is
asyncio's. (SQLAlchemy's asyncio layer stands on the same technique.) So blocking calls of the tracer, and of the
coroutine's own frames (``self.update_state()``, ``other.delay()``), wait for a thread while the loop goes on.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from celeriac.task.identity import bearer
from celeriac.task.interrupt import Dropped, Ended, HardLimit, SoftLimit, Terminated, outcome

T = TypeVar("T")


class Carrier(ABC):
    """What carries a run."""

    entered: bool
    """Whether the task's own code runs or has run."""

    @property
    @abstractmethod
    def doomed(self) -> bool:
        """Whether the run was terminated or passed its hard limit, whatever its code made of that."""

    @abstractmethod
    def left(self) -> None:
        """Called when the task's own code has ended: no interruption counts from here on."""


class ThreadCarrier(Carrier):
    """Carries a sync task, in a thread."""

    @abstractmethod
    def call(self, function: Callable[[], T]) -> T:
        """Call the task's function where interruptions reach it."""

    def run_body(self, function: Callable[[], T]) -> T:
        """Run the task's function to its end, within the run's limits."""
        self.entered = True
        try:
            result = self.call(function)
        finally:
            self.left()
        if self.doomed:
            raise Ended
        return result


class GreenletCarrier(Carrier):
    """Carries an ``async def`` task, in a greenlet of the event loop's thread."""

    greenlet: greenlet | None
    interrupt: asyncio.CancelledError | None
    """What to throw in place of the next cancellation."""
    coroutine: Coroutine[Any, Any, Any] | None
    """The task's own, once it runs."""

    @abstractmethod
    def run_in_thread(self, function: Callable[[], T]) -> "asyncio.Future[T]":
        """Start *function* in a thread, in a copy of the run's context."""

    def run_body(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run the task's coroutine to its end, within the run's limits."""
        self.entered = True
        self.coroutine = coroutine
        try:
            if self.interrupt is not None:
                coroutine.close()
                raise self.interrupt
            result = self.step(coroutine)
        except asyncio.CancelledError as error:
            if isinstance(error, Terminated | HardLimit | Dropped):
                raise Ended from None
            raise outcome(error).with_traceback(error.__traceback__) from None
        finally:
            self.coroutine = None
            self.left()
        if self.doomed:
            raise Ended
        return result

    def step(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run *coroutine* to its end from within the greenlet; the loop runs others while it waits."""
        parent: Any = getcurrent().parent  # a greenlet that is no thread's main one has a parent
        send, throw, switch = coroutine.send, coroutine.throw, parent.switch
        try:
            awaited = send(None)
            while True:
                try:
                    value = switch(awaited)
                except asyncio.CancelledError as error:
                    awaited = throw(self._interruption(error))
                except BaseException as error:
                    awaited = throw(error)
                else:
                    awaited = send(value)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _interruption(self, error: asyncio.CancelledError) -> asyncio.CancelledError:
        interrupt, self.interrupt = self.interrupt, None
        if isinstance(interrupt, SoftLimit) and (task := asyncio.current_task()) is not None:
            task.uncancel()  # one that catches it goes on as if nothing had been cancelled
        return interrupt or error

    def offload(self, function: Callable[[], T]) -> T:
        """Run blocking *function* in a thread while the loop goes on. A cancellation waits until it is done."""
        return self.step(_completed(self.run_in_thread(function)))


async def _completed(future: "asyncio.Future[T]") -> T:
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        future.exception()  # marks it as seen: the cancellation goes first
        raise cancelled
    return future.result()


def carrier() -> GreenletCarrier | None:
    """Return the run whose greenlet the caller is in; None elsewhere, also in what a coroutine has spawned."""
    run = bearer.get()
    return run if isinstance(run, GreenletCarrier) and run.greenlet is getcurrent() else None


def offload(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call *function*, in a thread if the caller is on an event loop that could go on meanwhile."""
    run = carrier()
    if run is None:
        return function(*args, **kwargs)
    return run.offload(lambda: function(*args, **kwargs))
