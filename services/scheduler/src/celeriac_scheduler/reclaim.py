"""What lost workers held goes back to its queues, or to the dead letters."""

from typing import Final

import structlog

from celeriac import keys
from celeriac.leader import Leader
from celeriac.settings import Settings
from celeriac_scheduler.metrics import Metrics

log = structlog.get_logger(__name__)

BATCH: Final = 500
_OUTCOMES: Final = ("requeued", "dead", "cancelled", "dropped")
_LONGEST_WAIT: Final = 1.0
"""Seconds after the end of a lease within which its deliveries are taken back."""


class Reclaim:
    """The duty of taking back what expired leases held."""

    name = "reclaim"

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        delivery = settings.delivery
        self._arguments = [
            BATCH,
            delivery.max_deliveries,
            delivery.dead_letter_limit,
            settings.result.expires_seconds,
        ]
        self._reclaimed = metrics.reclaimed

    def turn(self, leader: Leader) -> float:
        *counts, until_next = leader.call("reclaim", [keys.LEASES], self._arguments)
        outcomes = dict(zip(_OUTCOMES, counts, strict=True))
        if any(counts):
            log.warning("deliveries of lost workers were taken back", **outcomes)
        for outcome, count in outcomes.items():
            self._reclaimed.labels(outcome).inc(count)
        return min(until_next / 1000, _LONGEST_WAIT) if until_next >= 0 else _LONGEST_WAIT

    def stand_by(self) -> None:
        pass
