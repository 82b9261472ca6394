"""Schedules that come due submit their runs."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import redis
import structlog

from celeriac import keys
from celeriac.catalog import Entry, store
from celeriac.leader import Leader
from celeriac.redis import is_unreachable
from celeriac.schedule import firing
from celeriac.schedule.definition import Definition
from celeriac.schedule.firing import Step, Target
from celeriac.schedule.plan import plan
from celeriac.schedule.rule import Rule
from celeriac.settings import Settings
from celeriac_scheduler.metrics import Metrics
from celeriac_scheduler.replan import replan

log = structlog.get_logger(__name__)

BATCH: Final = 500
"""Schedules read in one go."""
_RUNS: Final = 50
"""Runs submitted by one script, unless one schedule alone has more: Redis serves nobody else meanwhile."""
_LONGEST_WAIT: Final = 1.0
"""Seconds by which a fire may be late that was planned after the last turn."""


def _parts(steps: Sequence[Step]) -> Iterator[list[Step]]:
    part: list[Step] = []
    weight = 0
    for step in steps:
        part.append(step)
        weight += max(1, len(step["runs"]))
        if weight >= _RUNS:
            yield part
            part, weight = [], 0
    if part:
        yield part


Decide = Callable[[str, str, str, str, int, int], Step]


@lru_cache(maxsize=16_384)
def read(text: str) -> tuple[Definition, Rule]:
    """Return a stored definition and its rule, worked out once."""
    definition = Definition.model_validate_json(text)
    return definition, definition.rule()


class Fire:
    """The duty of firing schedules.

    Redis says what time it is and what is due; the decision is made here; one script, which checks that the
    schedule is still as decided for, advances it and submits its runs. So a crash at any point loses no fire and
    doubles none, and the clock of this machine has no say.
    """

    name = "schedules"

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._task = settings.task
        self._keep = settings.result.expires_seconds
        self._fires = metrics.schedule_fires
        self._lateness = metrics.schedule_lateness
        self._catalog: dict[str, Entry] = {}
        self._catalog_version = b""
        self._planned = False

    def turn(self, leader: Leader) -> float:
        if not self._planned:
            replan(leader, self._keep)
            self._planned = True
        now, until_next, catalog_version, due, held = leader.call(
            "schedule_due", [keys.SCHEDULES, keys.SCHEDULES_HELD, keys.CATALOG_VERSION], [BATCH]
        )
        began = time.monotonic()
        if (due or held) and catalog_version != self._catalog_version:
            self._catalog, self._catalog_version = store.read(leader.client), catalog_version
        # Held fires go first, so that a newer fire of the same schedule finds their runs.
        for decide, items in ((self._release, held), (self._advance, due)):
            steps = [step for item in items if (step := self._decided(decide, leader, item, now))]
            self._carry_out(leader, steps, now, began)
        if until_next < 0:
            return _LONGEST_WAIT
        until = float(until_next) / 1000 - (time.monotonic() - began)
        return min(max(0.0, until), _LONGEST_WAIT)

    def stand_by(self) -> None:
        self._planned = False

    def _decided(self, decide: Decide, leader: Leader, item: Sequence[bytes], now: int) -> Step | None:
        id, text, payload, version, fire = (part.decode() for part in item)
        try:
            return decide(id, text, payload, version, int(fire), now)
        except Exception as error:
            self._give_up(leader, id, version, error)
            return None

    def _give_up(self, leader: Leader, id: str, version: str, error: Exception) -> None:
        """Pause a schedule that cannot fire: it must not hold up the others, nor be tried again and again."""
        self._fires.labels("refused").inc()
        log.error("schedule cannot fire and is paused", schedule=id, exc_info=error)
        reason = f"cannot fire: {type(error).__name__}: {error}"[:500]
        leader.call("schedule_pause", [keys.SCHEDULE + id], [id, version, "pause", reason, "", ""])

    def _advance(self, id: str, text: str, payload: str, version: str, pending: int, now: int) -> Step:
        definition, rule = read(text)
        decision = plan(id, definition, rule, pending, now)
        if decision.missed:
            self._fires.labels("missed").inc(decision.missed.count)
        return firing.advance(id, definition, payload, version, pending, now, decision, self._target(definition))

    def _release(self, id: str, text: str, payload: str, version: str, held: int, now: int) -> Step:
        definition, _ = read(text)
        return firing.release(id, definition, payload, version, held, now, self._target(definition))

    def _target(self, definition: Definition) -> Target:
        entry = self._catalog.get(definition.task)
        if entry is None:
            return Target(self._task.default_queue, self._task.default_priority)
        return Target(entry.queue, self._task.default_priority if entry.priority is None else entry.priority)

    def _carry_out(self, leader: Leader, steps: list[Step], now: int, began: float) -> None:
        for part in _parts(steps):
            try:
                self._send(leader, part, now, began)
            except redis.ResponseError as error:
                if is_unreachable(error):
                    raise
                log.warning("schedules did not fire together and are tried one by one", error=str(error))
                for step in part:
                    self._send_alone(leader, step, now, began)

    def _send_alone(self, leader: Leader, step: Step, now: int, began: float) -> None:
        try:
            self._send(leader, [step], now, began)
        except redis.ResponseError as error:
            if is_unreachable(error):
                raise
            self._give_up(leader, step["id"], step["version"], error)

    def _send(self, leader: Leader, steps: list[Step], now: int, began: float) -> None:
        _, (_, *arguments) = firing.call("", steps, self._keep)
        results = leader.call("schedule_fire", [], arguments)
        self._count(steps, results, now + (time.monotonic() - began) * 1000)

    def _count(self, steps: Sequence[Step], results: Sequence[Sequence[int]], at: float) -> None:
        for step, (ran, held, left_out) in zip(steps, results, strict=True):
            if ran < 0:
                continue  # changed or fired by another since: it is read anew
            for outcome, count in (("run", ran), ("held", held), ("left out", left_out)):
                self._fires.labels(outcome).inc(count)
            for run in step["runs"]:
                if run["why"] == "on time":
                    self._lateness.observe(max(0.0, at - int(run["due"])) / 1000)
