"""The rows of the table in docs/schedules.md on which cron programs disagree, written out by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from celeriac.schedule.fault import read
from celeriac.schedule.preview import preview
from celeriac.schedule.rule import fires
from celeriac.schedule.spec import milliseconds, moment
from celeriac.schedule.zone import zone

GAP, REPEAT = "2026-03-29", "2026-10-25"  # Europe/Berlin


def local(when: Mapping[str, object], day: str, name: str = "Europe/Berlin") -> list[str]:
    """Fires on one date of a zone, as its clocks show them."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=zone(name))
    rule = read({"task": "t", "when": {"timezone": name, **when}}).settled(0, name).rule()
    end = midnight.replace(hour=23, minute=59)
    return [
        moment(fire).astimezone(zone(name)).strftime("%H:%M%z")
        for fire in fires(rule, milliseconds(midnight) - 1, milliseconds(end))
    ]


def cron(text: str) -> dict[str, object]:
    return {"kind": "cron", "cron": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 2 * * *", ["03:00+0200"]),
        ("0,20,40 2 * * *", ["03:00+0200"]),
        ("30 2,3 * * *", ["03:00+0200", "03:30+0200"]),
        ("0 3 * * *", ["03:00+0200"]),
        ("*/30 1-3 * * *", ["01:00+0100", "01:30+0100", "03:00+0200", "03:30+0200"]),
        ("0 1-4 * * *", ["01:00+0100", "03:00+0200", "04:00+0200"]),
    ],
)
def test_gap(text: str, expected: list[str]) -> None:
    assert local(cron(text), GAP) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 2 * * *", ["02:30+0200"]),
        ("0,20,40 2 * * *", ["02:00+0200", "02:20+0200", "02:40+0200"]),
        ("30 2,3 * * *", ["02:30+0200", "03:30+0100"]),
        ("0 */2 1-25 * *", [f"{h:02}:00+0{2 if h <= 2 else 1}00" for h in range(0, 24, 2)]),
    ],
)
def test_repeated_hour_fires_once_for_times_of_the_day(text: str, expected: list[str]) -> None:
    assert local(cron(text), REPEAT) == expected


def test_a_schedule_of_every_hour_leaves_no_hole_and_doubles_none() -> None:
    for day, hours in ((GAP, 23), (REPEAT, 25)):
        for when in (cron("*/30 * * * *"), {"kind": "crontab", "minute": "*/30"}, cron("0,30 0-23 * * *")):
            shown = local(when, day)
            assert len(shown) == len(set(shown)) == hours * 2


def test_intervals_do_not_know_of_clocks() -> None:
    anchor = "2026-03-28T12:00:00+01:00"
    rule = read({"task": "t", "when": {"kind": "interval", "every_seconds": 86_400, "anchor": anchor}}).rule()
    start = milliseconds(datetime(2026, 3, 28, tzinfo=UTC))
    shown = [
        moment(fire).astimezone(zone("Europe/Berlin")).strftime("%d %H:%M")
        for fire in fires(rule, start, start + 3 * 86_400_000)
    ]
    assert shown == ["28 12:00", "29 13:00", "30 13:00"]


@pytest.mark.parametrize(
    ("at", "expected"), [("2026-03-29T02:30:00", "03:00+0200"), ("2026-10-25T02:30:00", "02:30+0200")]
)
def test_one_off_by_the_wall(at: str, expected: str) -> None:
    assert local({"kind": "once", "at": at}, at[:10]) == [expected]


def test_a_gap_over_midnight_belongs_to_the_day_it_skips() -> None:
    """Cairo leaps from 24 April 00:00 to 01:00: the 24th's midnight is not lost, nor the 23rd's."""
    assert local(cron("0 0 * * *"), "2026-04-24", "Africa/Cairo") == ["01:00+0300"]
    assert local(cron("30 23 24 4 *"), "2026-04-24", "Africa/Cairo") == ["23:30+0300"]


def test_half_hour_change() -> None:
    """Lord Howe puts clocks forward and back by 30 minutes only."""
    assert local(cron("0 2 * * *"), "2026-10-04", "Australia/Lord_Howe") == ["02:30+1100"]
    assert local(cron("45 1 * * *"), "2026-04-05", "Australia/Lord_Howe") == ["01:45+1100"]
    assert local(cron("45 * * * *"), "2026-04-05", "Australia/Lord_Howe")[:3] == [
        "00:45+1100", "01:45+1100", "01:45+1030",
    ]  # fmt: skip


def test_a_day_that_a_zone_left_out() -> None:
    """Samoa had no 30 December 2011: what it named fires once, at the first moment of the 31st."""
    assert local(cron("0 9 30 12 *"), "2011-12-31", "Pacific/Apia") == ["00:00+1400"]
    assert local(cron("0 * * * *"), "2011-12-31", "Pacific/Apia")[0] == "00:00+1400"


def notes(text: str, day: str) -> list[str | None]:
    definition = read({"task": "t", "when": cron(text)}).settled(0, "Europe/Berlin")
    start = milliseconds(datetime.fromisoformat(day).replace(tzinfo=zone("Europe/Berlin"))) - 1
    return [fire.note for fire in preview(definition, start, 5)]


def test_preview_explains_the_gap() -> None:
    (note, *rest) = notes("30 2 * * *", GAP)
    assert note is not None
    assert "02:30 on 2026-03-29" in note
    assert "leap over it" in note
    assert rest == [None] * 4


def test_preview_explains_the_repeated_hour() -> None:
    (once, *rest) = notes("30 2 * * *", REPEAT)
    assert once is not None
    assert "twice" in once
    assert "does not fire" in once
    assert rest == [None] * 4
    first, second = notes("30 * * * *", REPEAT)[2:4]
    assert first is not None
    assert "fires too" in first
    assert second is not None
    assert "The second 02:30" in second
