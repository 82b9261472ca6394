"""Celery's worker with Celeriac's choices made."""

import signal
from collections.abc import Sequence
from types import FrameType
from typing import Any, Self

from celery import Celery
from celery.apps.worker import Worker

from celeriac.settings.service import WorkerSettings

POOLS = {"asyncio": "celeriac.pool:TaskPool"}
"""Pools beside Celery's own."""


class Controller(Worker):
    """Prints no banner, and treats Ctrl-C as SIGTERM: once is enough, and twice does no harm."""

    begins_anew = False
    """Whether SIGHUP asked for the process to start again, in order, with what its code is by then."""

    @classmethod
    def of(cls, app: Celery, name: str, queues: Sequence[str], settings: WorkerSettings) -> Self:
        """Return a worker named *name* that consumes *queues*."""
        return cls(
            app=app,
            hostname=name,
            queues=list(queues),
            pool_cls=POOLS.get(settings.pool, settings.pool),
            concurrency=settings.concurrency,
            autoscale=(settings.concurrency, settings.autoscale_min) if settings.autoscale_min else None,
            loglevel="INFO",
            optimization="fair",
            without_gossip=True,
            without_mingle=True,
        )

    def emit_banner(self) -> None:
        """Print nothing: what the banner says is in the log."""

    def install_platform_tweaks(self, worker: Any) -> None:
        """Install Celery's signal handlers, and that of SIGTERM for SIGINT and SIGHUP too."""
        super().install_platform_tweaks(worker)
        stop = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGINT, stop)

        def begin_anew(number: int, frame: FrameType | None) -> None:
            self.begins_anew = True
            if callable(stop):
                stop(number, frame)

        signal.signal(signal.SIGHUP, begin_anew)
