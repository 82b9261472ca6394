"""Delayed runs that fall due go to their queues."""

from typing import Final

from celeriac import keys
from celeriac.leader import Leader
from celeriac_scheduler.metrics import Metrics

BATCH: Final = 500
_LONGEST_WAIT: Final = 0.25
"""Seconds by which a run may be late that was submitted after the last turn."""


class Promote:
    """The duty of moving due runs."""

    name = "promote"

    def __init__(self, metrics: Metrics) -> None:
        self._promoted = metrics.promoted

    def turn(self, leader: Leader) -> float:
        moved, until_next = leader.call("promote", [keys.DELAYED], [BATCH])
        self._promoted.inc(moved)
        return min(until_next / 1000, _LONGEST_WAIT) if until_next >= 0 else _LONGEST_WAIT

    def stand_by(self) -> None:
        pass
