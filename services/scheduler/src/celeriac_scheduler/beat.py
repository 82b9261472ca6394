"""``celery beat -S celeriac``: Celery's own beat program on Celeriac's schedules and behind its leader.

For those who have beat in their scripts; ``celeriac-scheduler`` has the leader's other duties too, and either may
stand by for the other. The entries of the app's ``beat_schedule`` are published at start.
"""

import threading
from typing import Any, Final

import structlog
from celery import Celery
from celery.beat import Scheduler as BaseScheduler

from celeriac.errors import FencedError
from celeriac.leader import Leader
from celeriac.redis import connect, is_unreachable
from celeriac.schedule.code import check_queues, declared
from celeriac.schedule.publish import publish
from celeriac.settings import load
from celeriac_scheduler.fire import Fire
from celeriac_scheduler.metrics import Metrics

log = structlog.get_logger(__name__)

DECLARER: Final = "celery-beat"
_STANDBY_WAIT: Final = 0.5


class Scheduler(BaseScheduler):
    """A scheduler for Celery's beat service. It keeps no schedule in memory and no file."""

    def __init__(self, app: Celery, lazy: bool = False, **kwargs: Any) -> None:
        self._settings = load()
        self._entries = declared(app)
        check_queues(self._entries, self._settings.task.queues)
        self._stopping = threading.Event()
        self._leader = Leader(connect(self._settings.redis), lease_seconds=self._settings.scheduler.lease_seconds)
        self._fire = Fire(self._settings, Metrics(self._leader))
        self._published = False
        super().__init__(app, lazy=lazy, **kwargs)

    def setup_schedule(self) -> None:
        """Begin to lead or to stand by. Beat calls this once, when it really starts."""
        threading.Thread(target=self._leader.run, args=[self._stopping], name="lease", daemon=True).start()

    def tick(self, *_: Any, **__: Any) -> float:
        """Fire what is due while this process leads; return the seconds until the next tick. Raises nothing."""
        try:
            if not self._leader.wait_leading(0):
                self._fire.stand_by()
                return _STANDBY_WAIT
            if not self._published:
                publish(self._leader.client, DECLARER, self._entries, self._settings.scheduler.timezone)
                self._published = True
            return self._fire.turn(self._leader)
        except FencedError:
            return _STANDBY_WAIT
        except Exception as error:
            self._published = False  # a server that comes back may have lost them
            if is_unreachable(error):
                log.warning("beat waits for Redis", error=str(error))
            else:
                log.exception("beat cannot fire")
            return _STANDBY_WAIT

    def close(self) -> None:
        """Give the lease up, so that a standby leads at once."""
        self._stopping.set()
        self._leader.resign()
        super().close()

    @property
    def info(self) -> str:
        """What beat prints of its scheduler at start."""
        return f"    . redis -> {self._settings.redis.url}"
