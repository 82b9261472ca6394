"""History is bounded by number, task by task."""

from typing import Any, Final

from celeriac import keys
from celeriac.leader import Leader
from celeriac.settings import Settings
from celeriac_scheduler.metrics import Metrics

_BATCH: Final = 1000
_BETWEEN_BATCHES: Final = 0.02
_BETWEEN_PASSES: Final = 60.0


class History:
    """The duty of trimming: one pass over all tasks after another, a batch of one task each turn."""

    name = "history"

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._limit = settings.result.history_limit
        self._trimmed = metrics.trimmed
        self._tasks: list[bytes] = []
        self._last: bytes | str = ""
        self._finished = 0

    def turn(self, leader: Leader) -> float:
        if not self._tasks:
            names: Any = leader.client.smembers(keys.TASKS)
            self._tasks = sorted(names)
        if not self._tasks:
            return _BETWEEN_PASSES
        task = self._tasks[-1]
        more, self._last, self._finished, removed = leader.call(
            "history",
            [keys.RUNS.encode() + task, keys.TASKS],
            [task, self._last, _BATCH, self._finished, self._limit],
        )
        self._trimmed.inc(removed)
        if not more:
            self._tasks.pop()
            self._last, self._finished = "", 0
        return _BETWEEN_BATCHES if self._tasks else _BETWEEN_PASSES

    def stand_by(self) -> None:
        self._tasks, self._last, self._finished = [], "", 0
