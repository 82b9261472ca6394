"""Planning stored fires anew when the rules of time zones have changed."""

from typing import Final

import structlog

from celeriac import keys
from celeriac.leader import Leader
from celeriac.schedule import firing, zone
from celeriac.schedule.firing import Step
from celeriac.schedule.spec import CronSpec, CrontabSpec
from celeriac.schedule.stored import Stored, readable

log = structlog.get_logger(__name__)

_BATCH: Final = 500


def replan(leader: Leader, keep_seconds: int) -> None:
    """Work out the next fires again if they were planned by other rules than this process has.

    A fire that is due already stays; of the others each is the first one after now by the rules of this process.
    """
    if leader.client.get(keys.SCHEDULE_RULES) == zone.RULES.encode():
        return
    moved = 0
    ids: list[bytes] = leader.client.zrange(keys.SCHEDULE_IDS, 0, -1)  # type: ignore[assignment] # not decoded
    for first in range(0, len(ids), _BATCH):
        moved += _replan(leader, [id.decode() for id in ids[first : first + _BATCH]], keep_seconds)
    leader.call("schedule_planned", [keys.SCHEDULE_RULES], [zone.RULES])
    log.info("schedules planned by new time zone rules", rules=zone.RULES, moved=moved)


def _replan(leader: Leader, ids: list[str], keep_seconds: int) -> int:
    with leader.client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        for id in ids:
            pipeline.hgetall(keys.SCHEDULE + id)
        (seconds, _), *fields = pipeline.execute()
    now = int(seconds) * 1000
    stored = readable(zip(ids, fields, strict=True))
    steps = [step for schedule in stored if (step := _moved(schedule, now))]
    if steps:
        _, (_, *arguments) = firing.call("", steps, keep_seconds)
        leader.call("schedule_fire", [], arguments)
    return len(steps)


def _moved(schedule: Stored, now: int) -> Step | None:
    if not isinstance(schedule.definition.when, CronSpec | CrontabSpec):
        return None
    if schedule.next is None or schedule.next <= now:
        return None
    fire = schedule.definition.rule().after(now)
    if fire == schedule.next:
        return None
    return firing.replan(schedule.id, schedule.definition, str(schedule.version), schedule.next, fire)
