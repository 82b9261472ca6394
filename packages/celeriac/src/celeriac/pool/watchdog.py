"""Reports a task that blocks the event loop: which one, where it stands, for how long; and how late others were."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

from prometheus_client import Histogram

from celeriac.task.loop import LoopThread

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.1
BLOCKED_SECONDS = 1.0
"""A loop that has not turned for so long is reported."""

LAG = Histogram(
    "celery_event_loop_lag_seconds",
    "How late the asyncio pool's event loop ran what was due.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class Watchdog:
    """Watches the loop of *loop_thread* from a thread of its own. *who* names what is running on it now."""

    def __init__(
        self, loop_thread: LoopThread, who: Callable[[], object | None], blocked_seconds: float = BLOCKED_SECONDS
    ) -> None:
        self._loop_thread = loop_thread
        self._who = who
        self._blocked_seconds = blocked_seconds
        self._due = time.monotonic()
        self._blocked_by: str | None = None
        self._stopped = threading.Event()
        self.lag = 0.0
        """Seconds by which the last tick was late."""
        self.worst_lag = 0.0

    def start(self) -> None:
        """Start ticking and watching."""
        self._due = time.monotonic()
        self._loop_thread.call(self._tick)
        threading.Thread(target=self._watch, name="celeriac-watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _tick(self) -> None:
        now = time.monotonic()
        self.lag = max(now - self._due, 0.0)
        self.worst_lag = max(self.worst_lag, self.lag)
        LAG.observe(self.lag)
        if self.lag >= self._blocked_seconds:
            logger.warning(
                "the event loop turns again after %.2f s; blocked by %s",
                self.lag,
                self._blocked_by or "code that held the interpreter's lock",
            )
        self._blocked_by = None
        self._due = now + TICK_SECONDS
        if not self._stopped.is_set():
            self._loop_thread.loop.call_later(TICK_SECONDS, self._tick)

    def _watch(self) -> None:
        while not self._stopped.wait(self._blocked_seconds / 4):
            late = time.monotonic() - self._due
            if late >= self._blocked_seconds and self._blocked_by is None:
                self._report(late)

    def _report(self, late: float) -> None:
        frame = sys._current_frames().get(self._loop_thread.thread.ident or 0)  # noqa: SLF001 the documented way
        if frame is None:
            return
        self._blocked_by = name = self._name()
        stack = "".join(traceback.format_stack(frame))
        logger.warning("the event loop has not turned for %.2f s: %s blocks it here:\n%s", late, name, stack)

    def _name(self) -> str:
        run = self._who()
        if run is not None:
            return f"task {run}"
        task = asyncio.current_task(self._loop_thread.loop)
        return f"asyncio task {task.get_name()}" if task is not None else "a callback"
