"""What lost workers held goes back to its queues, or to the dead letters."""

from typing import Final

import structlog

from celeriac import keys
from celeriac.leader import Leader
from celeriac.lease import RENEWALS
from celeriac.session import OUTAGE_WAIT
from celeriac.settings import Settings
from celeriac_scheduler.metrics import Metrics

log = structlog.get_logger(__name__)

BATCH: Final = 500
_OUTCOMES: Final = ("requeued", "dead", "cancelled", "dropped")
_LONGEST_WAIT: Final = 1.0
"""Seconds after the end of a lease within which its deliveries are taken back; less where leases are short, so that
an outage is told from the wait between two looks."""


class Reclaim:
    """The duty of taking back what expired leases held."""

    name = "reclaim"

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        delivery = settings.delivery
        outage = delivery.lease_seconds / RENEWALS  # a shorter one ends no lease
        self._longest_wait = min(_LONGEST_WAIT, outage / RENEWALS)
        self._arguments = [
            BATCH,
            delivery.max_deliveries,
            delivery.dead_letter_limit,
            settings.result.expires_seconds,
            round(1000 * outage),
            round(1000 * _grace(settings)),
        ]
        self._reclaimed = metrics.reclaimed

    def turn(self, leader: Leader) -> float:
        *counts, until_next = leader.call("reclaim", [keys.LEASES, keys.LEASES_WATCHED], self._arguments)
        outcomes = dict(zip(_OUTCOMES, counts, strict=True))
        if any(counts):
            log.warning("deliveries of lost workers were taken back", **outcomes)
        for outcome, count in outcomes.items():
            self._reclaimed.labels(outcome).inc(count)
        return min(until_next / 1000, self._longest_wait) if until_next >= 0 else self._longest_wait

    def stand_by(self) -> None:
        pass


def _grace(settings: Settings) -> float:
    """Return the seconds within which a live worker has renewed its lease once Redis is back.

    At worst it is in the middle of a command that nobody answers, waits, connects to what is no master any more, and
    waits once more.
    """
    redis = settings.redis
    attempt = redis.timeout + redis.connect_timeout + 2 * OUTAGE_WAIT[1]
    return max(settings.delivery.lease_seconds / RENEWALS, attempt)
