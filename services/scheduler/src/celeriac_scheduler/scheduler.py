"""The scheduler process: it leads or stands by, and has duties while it leads."""

import threading
from typing import Final

import structlog

from celeriac.health import Answer, HealthServer, verdict
from celeriac.leader import Leader
from celeriac.redis import connect
from celeriac.settings import Settings
from celeriac_scheduler.canvas import Canvas
from celeriac_scheduler.chords import Chords
from celeriac_scheduler.database import Database
from celeriac_scheduler.dead_letters import DeadLetters
from celeriac_scheduler.deletion_cost import DeletionCost, Pods
from celeriac_scheduler.duty import Duty, DutyThread
from celeriac_scheduler.ended import Ended
from celeriac_scheduler.fire import Fire
from celeriac_scheduler.history import History
from celeriac_scheduler.metrics import Metrics
from celeriac_scheduler.promote import Promote
from celeriac_scheduler.queues import Queues
from celeriac_scheduler.reclaim import Reclaim

log = structlog.get_logger(__name__)

_JOIN_SECONDS: Final = 10.0
"""Time a turn has to end at shutdown; what it writes later is refused, since the lease was given up."""
_SILENCE_FACTOR: Final = 2.0
"""Not ready when Redis has been silent for this many leases."""


class Scheduler:
    """One scheduler of a set, any of which may lead."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.leader = Leader(connect(settings.redis), lease_seconds=settings.scheduler.lease_seconds)
        self.metrics = Metrics(self.leader)
        self._canvas = Canvas(settings, self.leader.client)
        self._stopping = threading.Event()
        self._threads = [DutyThread(duty, self.leader, self.metrics, self._stopping) for duty in self._duties()]
        self._lease = threading.Thread(target=self.leader.run, args=[self._stopping], name="lease", daemon=True)
        self._server = HealthServer(
            settings.scheduler.host,
            settings.scheduler.port,
            {"/healthz": self._alive, "/readyz": self._ready, "/metrics": self.metrics.answer},
        )

    def _duties(self) -> list[Duty]:
        in_kubernetes: list[Duty] = [DeletionCost(Pods())] if self._settings.scheduler.pod_deletion_cost else []
        return [
            *in_kubernetes,
            Promote(self.metrics),
            Reclaim(self._settings, self.metrics),
            Queues(self._settings, self.metrics),
            self._schedules(),
            Ended(self._canvas),
            Chords(self._canvas),
            History(self._settings, self.metrics),
            DeadLetters(self._settings),
        ]

    def _schedules(self) -> Duty:
        if self._settings.scheduler.backend == "database":
            return Database(self._settings, self.metrics)
        return Fire(self._settings, self.metrics)

    def run(self, stop: threading.Event) -> None:
        """Work until *stop* is set, then end the duties' turns and give the lease up."""
        self._server.start()
        log.info("scheduler is up", instance=self.leader.instance, port=self._server.port)
        for thread in (self._lease, *self._threads):
            thread.start()
        stop.wait()
        self._stopping.set()
        for thread in (*self._threads, self._lease):
            thread.join(_JOIN_SECONDS)
        self._server.stop()
        self._canvas.close()
        self.leader.client.close()
        log.info("scheduler has stopped")

    def _alive(self) -> Answer:
        problems = [problem for thread in self._threads if (problem := thread.problem)]
        if not self._lease.is_alive():
            problems.append("the lease thread has ended")
        return verdict(problems)

    def _ready(self) -> Answer:
        problems = ["the scheduler is stopping"] if self._stopping.is_set() else []
        if self.leader.silence > self._settings.scheduler.lease_seconds * _SILENCE_FACTOR:
            problems.append("Redis does not answer")
        return verdict(problems)
