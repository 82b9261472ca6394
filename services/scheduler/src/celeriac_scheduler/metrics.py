"""What a scheduler process counts of its own work. The state of the queues is in :mod:`celeriac_scheduler.queues`."""

from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from celeriac.health import Answer
from celeriac.leader import Leader


class Metrics:
    """All metrics of one scheduler process."""

    def __init__(self, leader: Leader) -> None:
        self.registry = CollectorRegistry()
        leading = Gauge(
            "celeriac_scheduler_leader", "1 on the scheduler that leads, 0 on a standby.", registry=self.registry
        )
        leading.set_function(lambda: float(leader.fence is not None))
        self.turn_seconds = Histogram(
            "celeriac_scheduler_turn_seconds", "Time a duty's turn took.", ["duty"], registry=self.registry
        )
        self.turn_failures = Counter(
            "celeriac_scheduler_turn_failures", "Turns of a duty that failed.", ["duty"], registry=self.registry
        )
        self.promoted = Counter(
            "celeriac_promoted_runs", "Delayed runs moved to their queue.", registry=self.registry
        )
        self.trimmed = Counter(
            "celeriac_trimmed_runs", "Finished runs removed from the history.", registry=self.registry
        )
        self.reclaimed = Counter(
            "celeriac_reclaimed_deliveries",
            "Deliveries of lost workers, by what became of them.",
            ["outcome"],
            registry=self.registry,
        )

        self.schedule_fires = Counter(
            "celeriac_schedule_fires",
            "Fires of schedules, by what became of them: run, held, left out, missed, refused (and paused).",
            ["outcome"],
            registry=self.registry,
        )
        self.schedule_lateness = Histogram(
            "celeriac_schedule_lateness_seconds",
            "Time from when a fire was due to its submission, by Redis' clock; made-up ones not counted.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )

    def answer(self) -> Answer:
        """Return all in Prometheus' text format."""
        return Answer(HTTPStatus.OK, generate_latest(self.registry), CONTENT_TYPE_LATEST)
