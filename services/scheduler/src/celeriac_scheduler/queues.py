"""The state of the queues as metrics, from the leader alone, so that a sum over schedulers is right."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from celeriac import queues
from celeriac.leader import Leader
from celeriac.settings import Settings
from celeriac_scheduler.metrics import Metrics

_INTERVAL: Final = 2.0


class Queues(Collector):
    """The duty of reading the queues, and the collector that shows what was read."""

    name = "queues"

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._names = settings.task.queues
        self._load: queues.Load | None = None
        metrics.registry.register(self)

    def turn(self, leader: Leader) -> float:
        self._load = queues.read(leader.client, self._names)
        return _INTERVAL

    def stand_by(self) -> None:
        self._load = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics of the last reading; none on a standby."""
        load = self._load
        if load is None:
            return
        length = GaugeMetricFamily(
            "celery_queue_length", "Messages that wait, by priority step.", labels=["queue", "priority"]
        )
        unacked = GaugeMetricFamily("celery_queue_unacked", "Messages that workers hold.", labels=["queue"])
        age = GaugeMetricFamily(
            "celery_queue_oldest_age_seconds", "Time the longest waiting message has waited.", labels=["queue"]
        )
        for queue in load.queues:
            for step, waiting in queue.waiting.items():
                length.add_metric([queue.queue, str(step)], waiting)
            unacked.add_metric([queue.queue], queue.in_flight)
            age.add_metric([queue.queue], queue.oldest_age or 0)
        yield from (length, unacked, age)
        yield GaugeMetricFamily("celeriac_delayed_runs", "Runs that wait for their time.", load.delayed)
        yield GaugeMetricFamily("celeriac_dead_letters", "Dead letters kept.", load.dead_letters)
        yield GaugeMetricFamily("celeriac_leases", "Worker processes that hold a lease.", load.leases)
