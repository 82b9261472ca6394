"""A run of a sync task, in a thread."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from billiard.exceptions import SoftTimeLimitExceeded

from celeriac.pool.run import Run
from celeriac.pool.threads import Interruption
from celeriac.task.carrier import ThreadCarrier
from celeriac.task.interrupt import Ended

T = TypeVar("T")


class ThreadRun(ThreadCarrier, Run):
    """Runs from start to end in one of the pool's threads."""

    in_thread = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._interruption = Interruption()
        self._thread = 0

    def start(self) -> None:
        """Begin when a thread is free."""
        self.dispatcher.sync.submit(self._run)

    def _run(self) -> None:
        self._thread = threading.get_ident()
        self.dispatcher.accept(self)
        self.context.run(self.trace)

    def call(self, function: Callable[[], T]) -> T:
        """Call the task's function where interruptions reach it."""
        return self._interruption.call(function)

    def soft_limit(self, seconds: float) -> None:
        """Raise ``SoftTimeLimitExceeded`` in its function."""
        self._interruption.interrupt(SoftTimeLimitExceeded)

    def end_by(self, doom: asyncio.CancelledError) -> None:
        """End its function, as soon as that runs Python code."""
        self.doom = doom
        self._interruption.interrupt(Ended)

    def stack(self) -> str:
        """Return where its thread stands."""
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001 the documented way
        return "".join(traceback.format_stack(frame)) if frame is not None else ""
