"""What happens on the event loop's thread: starting runs, their limits, stopping them."""

import asyncio
import contextvars
import logging
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

from celeriac.pool.coroutine_run import CoroutineRun
from celeriac.pool.deadlines import Deadlines
from celeriac.pool.mailbox import Mailbox
from celeriac.pool.run import Call, Run
from celeriac.pool.thread_run import ThreadRun
from celeriac.pool.threads import Threads
from celeriac.task.identity import bearer
from celeriac.task.interrupt import Dropped, HardLimit, Terminated
from celeriac.task.loop import LoopThread

logger = logging.getLogger(__name__)

T = TypeVar("T")

KILL_GRACE_SECONDS = 5.0
"""How long a run that was told to end may clean up before it is written off."""

_BACKGROUND_THREADS = 8


class Dispatcher:
    """Runs at most *limit* runs at a time, coroutines on the loop and sync tasks in threads."""

    def __init__(
        self,
        loop_thread: LoopThread,
        mailbox: Mailbox,
        *,
        limit: int,
        sync_threads: int,
        released: Callable[[Run], object],
    ) -> None:
        self.limit = limit
        self.stepping: Run | None = None
        """The run whose code is on the loop right now."""
        self.abandoned = 0
        self.sync = Threads("celeriac-sync", sync_threads)
        self._background = Threads("celeriac-io", _BACKGROUND_THREADS)
        self._loop_thread = loop_thread
        self.loop = loop_thread.loop
        self._mailbox = mailbox
        self._released = released
        self._base = contextvars.copy_context()
        self._inbox: deque[Run] = deque()
        self._waiting: deque[Run] = deque()
        self._running: set[Run] = set()
        self._woken = False
        self._soft = Deadlines[Run](self.loop, self._soft_limit)
        self._hard = Deadlines[Run](self.loop, self._hard_limit)

    @property
    def running(self) -> int:
        """How many runs have a slot."""
        return len(self._running)

    # From the main thread.

    def submit(self, number: int, call: Call, *, is_async: bool) -> Run:
        """Make a run of *call* and start it when a slot is free."""
        context = self._base.copy()
        run = (CoroutineRun if is_async else ThreadRun)(self, number, call, context)
        context.run(bearer.set, run)
        self._inbox.append(run)
        if not self._woken:
            self._woken = True
            self._loop_thread.call(self._admit)
        return run

    def terminate(self, run: Run, signal: int) -> None:
        """Stop *run*, started or not."""
        self._loop_thread.call(self._terminate, run, signal)

    def terminate_all(self) -> None:
        """Stop everything, and start nothing more."""
        self._loop_thread.call(self._terminate_all)

    def resize(self, limit: int) -> None:
        """Change the number of slots. Runs that have one keep it."""
        self.limit = limit
        self._loop_thread.call(self._admit)

    def stop(self) -> None:
        """End the threads."""
        self.sync.stop()
        self._background.stop()

    # On the loop.

    def _admit(self) -> None:
        self._woken = False
        while self._inbox:
            self._waiting.append(self._inbox.popleft())
        self._fill()

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.limit:
            self._start(self._waiting.popleft())

    def _start(self, run: Run) -> None:
        self._running.add(run)
        run.start()

    def accept(self, run: Run) -> None:
        """Tell Celery that *run* begins, and start its time. From the loop, or from the run's thread."""
        self._mailbox.post(run.call_.callbacks.accept, run.number, time.monotonic())
        if run.limited:
            self._here(run, self._arm)

    def _here(self, run: Run, function: Callable[..., object], *args: Any) -> None:
        if run.in_thread:
            self._loop_thread.call(function, run, *args)
        else:
            function(run, *args)

    def _arm(self, run: Run) -> None:
        if run.ended:
            return
        if run.call_.soft:
            self._soft.arm(run, run.call_.soft)
        if run.call_.hard:
            self._hard.arm(run, run.call_.hard)

    def disarm(self, run: Run) -> None:
        """Stop the time of *run*. From the loop, or from the run's thread."""
        self._here(run, self._disarm)

    def _disarm(self, run: Run) -> None:
        if run.call_.soft:
            self._soft.disarm(run, run.call_.soft)
        if run.call_.hard:
            self._hard.disarm(run, run.call_.hard)

    def finish(self, run: Run, callback: Callable[[Any], object] | None, outcome: Any) -> None:
        """Report the end of *run* and give its slot away. From the loop, or from the run's thread."""
        self._here(run, self._free, callback, outcome)

    def _free(self, run: Run, callback: Callable[[Any], object] | None, outcome: Any) -> None:
        if run.abandoned:
            self.abandoned -= 1
            if run.in_thread:
                self.sync.recover()
            return
        self._running.discard(run)
        if callback is not None:
            self._mailbox.post(callback, outcome)
        self._mailbox.post(self._released, run)
        if self._waiting:
            self._fill()

    def in_background(self, context: Context, function: Callable[[], T]) -> "asyncio.Future[T]":
        """Run *function* in a thread, in *context*."""
        future: asyncio.Future[T] = self.loop.create_future()

        def job() -> None:
            try:
                settle = partial(future.set_result, context.run(function))
            except BaseException as error:
                settle = partial(future.set_exception, error)
            self._loop_thread.call(lambda: None if future.cancelled() else settle())

        self._background.submit(job)
        return future

    # Limits and termination.

    def _soft_limit(self, run: Run, seconds: float) -> None:
        self._mailbox.post(run.call_.callbacks.timeout, True, seconds)
        run.soft_limit(seconds)

    def _hard_limit(self, run: Run, seconds: float) -> None:
        self._mailbox.post(run.call_.callbacks.timeout, False, seconds)
        self._end(run, HardLimit(seconds))

    def _terminate(self, run: Run, signal: int) -> None:
        if run.ended or run.doomed:
            return
        doom = Terminated(signal)
        if run in self._running:
            self._end(run, doom)
            return
        for queue in (self._waiting, self._inbox):
            if run in queue:
                queue.remove(run)
                run.end_by(doom)
                # It never ran; Celery announces the revocation when it hears of the start.
                self._mailbox.post(run.call_.callbacks.accept, run.number, time.monotonic())
                self._free(run, *run.report_of_end())

    def _terminate_all(self) -> None:
        self._waiting.clear()
        self._inbox.clear()
        for run in list(self._running):
            if not run.doomed:
                self._end(run, Dropped())

    def _end(self, run: Run, doom: asyncio.CancelledError) -> None:
        run.end_by(doom)
        self.loop.call_later(KILL_GRACE_SECONDS, self._write_off, run)

    def _write_off(self, run: Run) -> None:
        if run.ended or run not in self._running:
            return
        logger.error(
            "%s was told to end and did not within %g s; it goes on unobserved:\n%s",
            run,
            KILL_GRACE_SECONDS,
            run.stack(),
        )
        self._free(run, *run.report_of_end())
        run.abandoned = True
        self.abandoned += 1
        if run.in_thread:
            self.sync.write_off()
