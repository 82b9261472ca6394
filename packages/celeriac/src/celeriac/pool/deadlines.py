"""Timers for the time limits of many runs.

Runs with the same limit fall due in the order they start, so one timer per distinct limit is enough, whatever the
number in flight; to arm and to disarm costs a dictionary entry.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class _Lane(Generic[R]):
    """All that wait for the same number of seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, due: Callable[[R, float], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._due = due
        self._times: dict[R, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, run: R) -> None:
        when = self._loop.time() + self._seconds
        self._times[run] = when
        if self._timer is None:
            self._timer = self._loop.call_at(when, self._fire)

    def discard(self, run: R) -> None:
        self._times.pop(run, None)

    def _fire(self) -> None:
        self._timer = None
        now = self._loop.time()
        passed = []
        for run, when in self._times.items():
            if when > now:
                self._timer = self._loop.call_at(when, self._fire)
                break
            passed.append(run)
        for run in passed:
            if self._times.pop(run, None) is not None:
                self._due(run, self._seconds)


class Deadlines(Generic[R]):
    """Calls *due* with a run, and its limit, when that passes before it is disarmed. For the loop's thread only."""

    def __init__(self, loop: asyncio.AbstractEventLoop, due: Callable[[R, float], None]) -> None:
        self._loop = loop
        self._due = due
        self._lanes: dict[float, _Lane[R]] = {}

    def arm(self, run: R, seconds: float) -> None:
        """Start the time of *run*."""
        lane = self._lanes.get(seconds)
        if lane is None:
            lane = self._lanes[seconds] = _Lane(self._loop, seconds, self._due)
        lane.add(run)

    def disarm(self, run: R, seconds: float) -> None:
        """Forget *run*; harmless when it was not armed."""
        lane = self._lanes.get(seconds)
        if lane is not None:
            lane.discard(run)
