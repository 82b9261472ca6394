"""What only the leader does, as duties that each have a thread of their own."""

import threading
import time
from typing import Final, Protocol

import structlog

from celeriac.errors import FencedError
from celeriac.leader import Leader
from celeriac.redis import is_unreachable
from celeriac_scheduler.metrics import Metrics

log = structlog.get_logger(__name__)

_STANDBY_WAIT: Final = 0.5
_RETRY_FIRST: Final = 0.2
_RETRY_MOST: Final = 5.0
STUCK_SECONDS: Final = 60.0
"""A turn that takes longer than this is stuck: every call it makes has a deadline far below."""


class Duty(Protocol):
    """Something that the leader does again and again, in turns short against the lease.

    All its writes go through :meth:`celeriac.leader.Leader.call`, so that a turn which outlives the leadership
    changes nothing.
    """

    @property
    def name(self) -> str:
        """A word for logs and metrics."""

    def turn(self, leader: Leader) -> float:
        """Do what is due and return the seconds until the next turn.

        May raise anything: FencedError ends the turns until this process leads again, other errors delay the next.
        """

    def stand_by(self) -> None:
        """Forget what only a leader may show. Called again and again while this process does not lead."""


class DutyThread(threading.Thread):
    """Gives *duty* its turns while *leader* leads, until *stop* is set. No error ends it."""

    def __init__(self, duty: Duty, leader: Leader, metrics: Metrics, stop: threading.Event) -> None:
        super().__init__(name=f"duty-{duty.name}", daemon=True)
        self._duty = duty
        self._leader = leader
        self._metrics = metrics
        self._stopping = stop
        self._failures = 0
        self._began: float | None = None

    @property
    def problem(self) -> str | None:
        """What is wrong with this thread, None when it is well."""
        began = self._began
        # While Redis is away a turn may well wait for it; ending the process would not bring Redis back.
        reached = self._leader.silence < STUCK_SECONDS
        if reached and began is not None and time.monotonic() - began > STUCK_SECONDS:
            return f"duty {self._duty.name} is stuck"
        return None if self.is_alive() else f"duty {self._duty.name} has ended"

    def run(self) -> None:
        while not self._stopping.is_set():
            if self._leader.wait_leading(_STANDBY_WAIT):
                self._stopping.wait(self._turn())
            else:
                self._duty.stand_by()
        self._duty.stand_by()

    def _turn(self) -> float:
        self._began = time.monotonic()
        try:
            wait = self._duty.turn(self._leader)
        except FencedError:
            return 0
        except Exception as error:
            return self._failed(error)
        finally:
            self._metrics.turn_seconds.labels(self._duty.name).observe(time.monotonic() - self._began)
            self._began = None
        self._failures = 0
        return wait

    def _failed(self, error: Exception) -> float:
        """Say once that Redis is away, and each time that something else went wrong. Returns the seconds to wait."""
        self._failures += 1
        self._metrics.turn_failures.labels(self._duty.name).inc()
        if not is_unreachable(error):
            log.error("duty failed", duty=self._duty.name, exc_info=error)
        elif self._failures == 1:
            log.warning("duty waits for Redis", duty=self._duty.name, error=str(error))
        return min(_RETRY_FIRST * 2.0 ** min(self._failures - 1, 10), _RETRY_MOST)
