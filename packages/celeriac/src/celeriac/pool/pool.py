"""The asyncio pool as Celery sees it: ``worker_pool = "celeriac.pool:TaskPool"``."""

import itertools
import logging
import os
from collections.abc import Callable
from typing import Any

from celery import signals
from celery.concurrency.base import BasePool
from kombu.asynchronous import Hub
from kombu.asynchronous.semaphore import LaxBoundedSemaphore

from celeriac.errors import ConfigurationError
from celeriac.pool.dispatcher import Dispatcher
from celeriac.pool.mailbox import Mailbox
from celeriac.pool.run import Call, Callbacks, Run
from celeriac.pool.watchdog import Watchdog
from celeriac.task import bridge
from celeriac.task.loop import LoopThread
from celeriac.task.upstream import run_ready_acknowledgements

logger = logging.getLogger(__name__)

DEFAULT_SYNC_THREADS = 32


class TaskPool(BasePool):
    """Runs ``async def`` tasks by the thousand on one event loop, and sync tasks in a few threads.

    The loop has a thread of its own: Celery's hub runs in the main thread, so that a task which blocks the loop
    delays other tasks but neither heartbeats nor shutdown nor remote control.
    """

    body_can_be_buffer = True
    is_green = False
    signal_safe = False
    task_join_will_block = True
    uses_semaphore = True  # a request waits before the pool, where revoking it still counts

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._semaphore: LaxBoundedSemaphore | None = self.options.get("semaphore")
        self._hub: Hub | None = None
        self._shut_down = False
        self._numbers = itertools.count(1)
        self._runs: dict[int, Run] = {}
        self._mailbox = Mailbox()
        self._loop_thread = LoopThread("celeriac-loop")
        self._dispatcher = Dispatcher(
            self._loop_thread,
            self._mailbox,
            limit=self.limit,
            sync_threads=self.app.conf.get("worker_sync_threads") or DEFAULT_SYNC_THREADS,
            released=self._released,
        )
        self._watchdog = Watchdog(self._loop_thread, lambda: self._dispatcher.stepping)

    # Starting.

    def on_start(self) -> None:
        """Start the loop.

        Raises:
            ConfigurationError: the broker's transport has no event loop of Celery's to hand results to.
        """
        if self.options.get("threads", True):
            raise ConfigurationError("the asyncio pool needs a broker that Celery's hub can read: Redis or AMQP")
        if self.options.get("maxtasksperchild"):
            logger.info("worker_max_tasks_per_child means nothing to the asyncio pool: it has no child processes")
        self._loop_thread.start()
        bridge.use(self._loop_thread)
        self._watchdog.start()
        signals.worker_process_init.send(sender=self._hostname)

    @property
    def _hostname(self) -> str | None:
        hostname: str | None = (self.options.get("initargs") or (None, None))[1]
        return hostname

    def register_with_event_loop(self, hub: Hub) -> None:
        """Have Celery's event loop take the outcomes; called again after each reconnect."""
        self._hub = hub
        self._mailbox.attach(hub)

    # Running.

    def on_apply(self, target: Callable[..., Any], args: Any, kwargs: Any = None, **options: Any) -> Run:  # type: ignore[override]
        """Start a run of *target*, Celery's tracer, whose arguments begin with the task's name and the run's id."""
        call = Call(
            target,
            tuple(args),
            Callbacks(
                options["accept_callback"],
                options["callback"],
                options["error_callback"],
                options["timeout_callback"],
            ),
            options.get("soft_timeout") or self.options.get("soft_timeout"),
            options.get("timeout") or self.options.get("timeout"),
        )
        is_async = getattr(self.app.tasks[args[0]], "is_async", False)
        number = next(self._numbers)
        run = self._runs[number] = self._dispatcher.submit(number, call, is_async=is_async)
        return run

    def _released(self, run: Run) -> None:
        self._runs.pop(run.number, None)  # the only strong reference: Celery keeps a weak one
        if self._semaphore is not None:
            self._semaphore.release()

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Stop the run that was accepted as *pid*."""
        run = self._runs.get(pid)
        if run is not None:
            run.terminate(signal)

    # Scaling.

    def grow(self, n: int = 1) -> None:
        """Add *n* slots."""
        self._resize(n)
        if self._semaphore is not None:
            self._semaphore.grow(n)

    def shrink(self, n: int = 1) -> None:
        """Take *n* slots away. What runs in them ends first.

        Raises:
            ValueError: fewer than one slot would be left.
        """
        if self.limit - n < 1:
            raise ValueError("the pool needs a slot at least")
        self._resize(-n)
        if self._semaphore is not None:
            self._semaphore.shrink(n)

    def _resize(self, change: int) -> None:
        self.limit += change
        self._dispatcher.resize(self.limit)

    @property
    def num_processes(self) -> int:
        """How many runs there may be at a time."""
        limit: int = self.limit
        return limit

    def _get_info(self) -> dict[str, Any]:
        info: dict[str, Any] = super()._get_info()  # type: ignore[misc]
        return info | {
            "processes": [os.getpid()],
            "max-tasks-per-child": "N/A",
            "put-guarded-by-semaphore": True,
            "timeouts": (self.options.get("soft_timeout") or 0, self.options.get("timeout") or 0),
            "running": self._dispatcher.running,
            "abandoned": self._dispatcher.abandoned,
            "sync-threads": self._dispatcher.sync.info,
            "event-loop": type(self._loop_thread.loop).__module__.partition(".")[0],
            "event-loop-lag": round(self._watchdog.lag, 4),
            "event-loop-worst-lag": round(self._watchdog.worst_lag, 4),
        }

    # Stopping.

    def on_stop(self) -> None:
        """Wait for what runs, then end the loop. Celery's own event loop has ended: this does its part."""
        self._mailbox.attach(None)
        while self._runs:
            self._mailbox.wait(0.5)
            self._turn()
        self._shut()

    def on_terminate(self) -> None:
        """Cancel what runs, without a report: it is another worker's, or given back."""
        self._dispatcher.terminate_all()
        self._shut()

    def _turn(self) -> None:
        self._mailbox.deliver()
        if self._hub is not None:
            run_ready_acknowledgements(self._hub)
            self._hub.fire_timers()

    def _shut(self) -> None:
        if self._shut_down:
            return
        self._shut_down = True
        self._watchdog.stop()
        signals.worker_process_shutdown.send(sender=self._hostname, pid=os.getpid(), exitcode=0)
        bridge.close()
        self._dispatcher.stop()
        self._mailbox.attach(None)
        self._turn()
