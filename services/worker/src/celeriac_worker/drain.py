"""Stopping in order, within a time that is known beforehand.

SIGTERM: not ready, take nothing more, let what runs end. After ``drain_seconds`` Celery's cold shutdown gives back
what still runs. A thread that cannot be interrupted outlasts that as well, and in the solo pool it would break into
the run itself, so the process then ends by itself: what it held is not acknowledged, and goes to another worker.
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from celery import signals

from celeriac import drain
from celeriac_worker.status import Status

COLD_SECONDS: Final = 5.0
"""Seconds the cold shutdown may take before the process ends by itself."""


class Drain:
    """Waits, from its own thread, for the worker to be told to stop, and sees to it that it does."""

    def __init__(self, status: Status, last_words: Callable[[], None]) -> None:
        self._status = status
        self._last_words = last_words
        self._begun = threading.Event()
        self._done = threading.Event()
        self.begun = False

    def install(self) -> None:
        """Watch for the signals that Celery handles."""
        signals.worker_shutting_down.connect(self._begin)
        threading.Thread(target=self._watch, name="drain", daemon=True).start()

    def done(self) -> None:
        """Say that the worker has stopped by itself."""
        self._done.set()

    def _begin(self, **_: Any) -> None:
        self.begun = True
        self._status.enter("draining")
        self._begun.set()

    def _watch(self) -> None:
        self._begun.wait()
        if self._done.wait(self._status.settings.drain_seconds):
            return
        if self._status.settings.pool != "solo":
            os.kill(os.getpid(), signal.SIGQUIT)
            if self._done.wait(COLD_SECONDS):
                return
        drain.finish(COLD_SECONDS)
        self._last_words()
        os._exit(0)
