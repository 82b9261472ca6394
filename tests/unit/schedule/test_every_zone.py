"""Every change of every zone's clocks in 2026 and 2027, on a simulated clock, against croniter.

croniter shares no code with ours. The one row on which it is not followed is the disputed one: it fires a time of
the day twice when clocks show it twice. There the expected fires are its own less those of the second pass.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from croniter import croniter

from celeriac.schedule import cron, zone
from celeriac.schedule.definition import CatchUp, Definition
from celeriac.schedule.fault import read
from celeriac.schedule.plan import plan
from celeriac.schedule.rule import fires

HOUR = 3600
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2028, 1, 1, tzinfo=UTC).timestamp())


def changed_zones() -> list[str]:
    return [name for name in sorted(zone.names()) if any(zone.changes(name, START, END))]


def texts(change: zone.Change) -> Iterator[str]:
    """Crontabs of every hour, and of the hours around a change."""
    yield from ("*/30 * * * *", "20 * * * *", "0 */2 * * *", "0 0 * * *", "30 23 * * *")
    wall = min(change.instant + change.before, change.instant + change.after)
    for distance in (-1, 0, 1, 2):
        hour = (wall // HOUR + distance) % 24
        yield f"0 {hour} * * *"
        yield f"45 {hour} * * *"
    yield f"*/20 {wall // HOUR % 24},{(wall // HOUR + 1) % 24} * * *"


def reference(text: str, name: str, start: int, end: int) -> list[int]:
    """What croniter says, less the second pass of a repeated time unless the schedule is of every hour."""
    found: list[int] = []
    every_hour = text.split()[1] == "*"
    for moment in croniter(text, datetime.fromtimestamp(start, UTC).astimezone(zone.zone(name)), ret_type=datetime):
        instant = int(moment.timestamp())
        if instant > end:
            return found
        again = moment.fold == 1 and moment.utcoffset() != moment.replace(fold=0).utcoffset()
        if every_hour or not again:
            found.append(instant)
    raise AssertionError("croniter came to an end")


def test_every_zone_is_looked_at() -> None:
    assert len(zone.names()) > 590
    assert len(changed_zones()) > 150


@pytest.mark.parametrize("name", changed_zones())
def test_fires_equal_the_reference(name: str) -> None:
    for change in zone.changes(name, START, END):
        start, end = change.instant - 25 * HOUR, change.instant + 25 * HOUR
        for text in texts(change):
            ours = [fire // 1000 for fire in fires(cron.parse(text, name), start * 1000, end * 1000)]
            assert ours == reference(text, name, start, end), (text, name, change)


@pytest.mark.parametrize("name", changed_zones())
def test_a_ticking_leader_fires_each_once(name: str) -> None:
    """The clock ticks through each change; for two hours around it no leader is up, and all is made up for."""
    for change in zone.changes(name, START, END):
        for text in ("*/30 * * * *", f"30 {(change.instant + change.before) // HOUR % 24} * * *"):
            definition = read(
                {"task": "t", "when": {"kind": "cron", "cron": text, "timezone": name}, "catch_up": "all"}
            )
            start, end = (change.instant - 26 * HOUR) * 1000, (change.instant + 26 * HOUR) * 1000
            down = range((change.instant - HOUR) * 1000, (change.instant + HOUR) * 1000)
            fired = list(ticks(definition, start, end, down))
            assert fired == list(fires(definition.rule(), start, end)), (text, name, change)
            assert definition.catch_up is CatchUp.ALL


def ticks(definition: Definition, start: int, end: int, down: range) -> Iterator[int]:
    """Run the leader's decision every 7 minutes of a simulated clock."""
    rule = definition.rule()
    pending = rule.after(start)
    for now in [*range(start, end, 7 * 60_000), end]:
        if pending is not None and pending <= now and now not in down:
            decision = plan("s", definition, rule, pending, now)
            yield from decision.runs
            pending = decision.next
