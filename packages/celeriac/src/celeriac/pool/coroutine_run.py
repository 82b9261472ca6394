"""A run of an ``async def`` task: Celery's tracer in a greenlet that asyncio steps as it steps a coroutine."""

import asyncio
from collections.abc import Callable, Coroutine
from types import CoroutineType, FrameType
from typing import Any, TypeVar

from greenlet import greenlet

from celeriac.pool.run import Run
from celeriac.task.carrier import GreenletCarrier
from celeriac.task.interrupt import SoftLimit

T = TypeVar("T")


class CoroutineRun(GreenletCarrier, Run):
    """To ``asyncio.Task`` it is a coroutine. Greenlet and task share one context."""

    in_thread = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.greenlet = None
        self.coroutine = None
        self.interrupt = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. On the loop's thread."""
        self.dispatcher.accept(self)
        self._task = self.dispatcher.loop.create_task(self, name=str(self), context=self.context)  # type: ignore[arg-type]

    def send(self, value: Any) -> Any:
        """Go on to the next thing that is awaited."""
        if self.greenlet is None:
            self.greenlet = greenlet(self.trace)
            self.greenlet.gr_context = self.context
        return self._step(self.greenlet, self.greenlet.switch, value)

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        """Go on with *error* raised where something is awaited."""
        if self.greenlet is None:  # cancelled before its first step
            raise error
        return self._step(self.greenlet, self.greenlet.throw, error)

    def close(self) -> None:
        """Do nothing: a run that was abandoned is left where it stands."""

    def _step(self, carried: greenlet, switch: Callable[[Any], Any], value: Any) -> Any:
        self.dispatcher.stepping = self
        try:
            awaited = switch(value)
        finally:
            self.dispatcher.stepping = None
        if carried.dead:
            raise StopIteration
        return awaited

    def run_in_thread(self, function: Callable[[], T]) -> "asyncio.Future[T]":
        """Start *function* in a thread, in a copy of the run's context."""
        return self.dispatcher.in_background(self.context.copy(), function)

    def soft_limit(self, seconds: float) -> None:
        """Throw ``SoftTimeLimitExceeded`` into its code."""
        self._cancel(SoftLimit(seconds))

    def end_by(self, doom: asyncio.CancelledError) -> None:
        """Throw *doom* into its code."""
        self.doom = doom
        self._cancel(doom)

    def _cancel(self, interrupt: asyncio.CancelledError) -> None:
        if self.ended:
            return
        self.interrupt = interrupt
        # Before its code has begun nothing is awaited that could be cancelled; it will find the interruption.
        if self.entered and self._task is not None:
            self._task.cancel()

    def stack(self) -> str:
        """Return where its coroutine waits, outermost first."""
        frames: list[FrameType] = []
        awaited: Any = self.coroutine
        while isinstance(awaited, CoroutineType) and awaited.cr_frame is not None:
            frames.append(awaited.cr_frame)
            awaited = awaited.cr_await
        return "\n".join(f"  {f.f_code.co_filename}:{f.f_lineno} in {f.f_code.co_name}" for f in frames)


Coroutine.register(CoroutineRun)
