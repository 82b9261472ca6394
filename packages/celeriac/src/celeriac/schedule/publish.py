"""Bringing the schedules of the code into Redis, and those that left the code out of it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import redis
import structlog

from celeriac import keys, scripts
from celeriac.errors import ConflictError
from celeriac.schedule.change import change
from celeriac.schedule.code import Declared
from celeriac.schedule.fault import InvalidScheduleError
from celeriac.schedule.store import write_call
from celeriac.schedule.stored import Stored

log = structlog.get_logger(__name__)

_ATTEMPTS: Final = 5


class Published(NamedTuple):
    """What came of publishing; each a list of ids."""

    written: list[str]
    removed: list[str]
    clashes: list[str]
    """Made over HTTP under the same name: these stay, and the code's do not exist."""


def publish(client: redis.Redis, declarer: str, schedules: Sequence[Declared], timezone: str) -> Published:
    """Make *schedules* all that *declarer* has in its code.

    What it declared before and nobody declares now is removed. Pauses stay, and so do the next fires of schedules
    whose times have not changed. Publishing nothing withdraws the declarer.

    One that would never fire (any more) is left out with a warning: code outlives a one-off.
    """
    outcomes = {item.id: _write(client, declarer, item, timezone) for item in schedules}
    removed = scripts.run(
        client,
        "schedule_declare",
        [keys.SCHEDULE_DECLARERS, keys.SCHEDULE_DECLARED + declarer],
        [declarer, *(id for id, outcome in outcomes.items() if outcome != "ended")],
    )
    published = Published(
        written=[id for id, outcome in outcomes.items() if outcome == "written"],
        removed=[id.decode() for id in removed],
        clashes=[id for id, outcome in outcomes.items() if outcome == "clash"],
    )
    for id in published.clashes:
        log.error(
            "a schedule of the code is ignored: one of its name was made over HTTP; delete that, or rename this",
            schedule=id,
            declarer=declarer,
        )
    if published.written or published.removed:
        log.info("schedules of the code published", declarer=declarer, **published._asdict())
    return published


def is_published(client: redis.Redis, declarer: str) -> bool:
    """Tell whether Redis knows *declarer*, which a server that lost its data does not."""
    return bool(client.sismember(keys.SCHEDULE_DECLARERS, declarer))


def _write(client: redis.Redis, declarer: str, item: Declared, timezone: str) -> str:
    for _ in range(_ATTEMPTS):
        with client.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.hgetall(keys.SCHEDULE + item.id)
            (seconds, micros), fields = pipeline.execute()
        now = int(seconds) * 1000 + int(micros) // 1000
        current = Stored.read(item.id, fields)
        try:
            made = change(item.id, item.definition, current, now, timezone)
        except InvalidScheduleError as error:
            log.warning("a schedule of the code is left out", schedule=item.id, declarer=declarer, error=str(error))
            return "ended"
        expected = str(current.version) if current else "0"
        outcome, *_ = scripts.run(client, *write_call(made, item.arguments, expected, "code", declarer))
        if outcome != b"changed":
            return str(outcome.decode())
    raise ConflictError(f"The schedule {item.id!r} is being changed by others all the time; try again")
