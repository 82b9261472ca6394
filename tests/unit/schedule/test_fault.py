"""Every bad schedule is refused with the field's name and a right example."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from celeriac.errors import Fault
from celeriac.schedule.fault import EXAMPLES, WHEN, InvalidScheduleError, check_time, read
from celeriac.schedule.spec import milliseconds

NOW = milliseconds(datetime(2026, 6, 1, tzinfo=UTC))
CRON = WHEN["cron"]

BAD: list[tuple[dict[str, Any], str]] = [
    ({"when": CRON}, "/task"),
    ({"task": "", "when": CRON}, "/task"),
    ({"task": "t"}, "/when"),
    ({"task": "t", "when": "0 2 * * *"}, "/when"),
    ({"task": "t", "when": {}}, "/when/kind"),
    ({"task": "t", "when": {"kind": "lunar"}}, "/when/kind"),
    ({"task": "t", "when": {"kind": "interval"}}, "/when/every_seconds"),
    ({"task": "t", "when": {"kind": "interval", "every_seconds": 0}}, "/when/every_seconds"),
    ({"task": "t", "when": {"kind": "interval", "every_seconds": "often"}}, "/when/every_seconds"),
    ({"task": "t", "when": {"kind": "interval", "every_seconds": 5, "anchor": "2026-01-01"}}, "/when/anchor"),
    ({"task": "t", "when": {"kind": "crontab", "minute": "60"}}, "/when/minute"),
    ({"task": "t", "when": {"kind": "crontab", "hour": [1, 24]}}, "/when/hour"),
    ({"task": "t", "when": {"kind": "crontab", "day_of_week": "7"}}, "/when/day_of_week"),
    ({"task": "t", "when": {"kind": "crontab", "day_of_month": 0}}, "/when/day_of_month"),
    ({"task": "t", "when": {"kind": "crontab", "month_of_year": "foo"}}, "/when/month_of_year"),
    ({"task": "t", "when": {"kind": "crontab", "month_of_year": {}}}, "/when/month_of_year"),
    ({"task": "t", "when": {"kind": "crontab", "timezone": "Berlin"}}, "/when/timezone"),
    ({"task": "t", "when": {"kind": "crontab", "second": 5}}, "/when/second"),
    ({"task": "t", "when": {"kind": "cron", "cron": "0 2 * *"}}, "/when/cron"),
    ({"task": "t", "when": {"kind": "cron", "cron": "0 25 * * *"}}, "/when/cron"),
    ({"task": "t", "when": {"kind": "cron", "cron": "@reboot"}}, "/when/cron"),
    ({"task": "t", "when": {**CRON, "timezone": "Mars/Olympus"}}, "/when/timezone"),
    ({"task": "t", "when": {**WHEN["solar"], "event": "eclipse"}}, "/when/event"),
    ({"task": "t", "when": {**WHEN["solar"], "latitude": 91}}, "/when/latitude"),
    ({"task": "t", "when": {**WHEN["solar"], "longitude": -181}}, "/when/longitude"),
    ({"task": "t", "when": {"kind": "once"}}, "/when/at"),
    ({"task": "t", "when": {"kind": "once", "at": "tomorrow"}}, "/when/at"),
    ({"task": "t", "when": CRON, "args": {"a": 1}}, "/args"),
    ({"task": "t", "when": CRON, "kwargs": [1]}, "/kwargs"),
    ({"task": "t", "when": CRON, "priority": 10}, "/priority"),
    ({"task": "t", "when": CRON, "expires_seconds": 0}, "/expires_seconds"),
    ({"task": "t", "when": CRON, "start": "soon"}, "/start"),
    ({"task": "t", "when": CRON, "start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "/end"),
    ({"task": "t", "when": WHEN["interval"], "jitter_seconds": 30}, "/jitter_seconds"),
    ({"task": "t", "when": CRON, "jitter_seconds": -1}, "/jitter_seconds"),
    ({"task": "t", "when": CRON, "overlap": "maybe"}, "/overlap"),
    ({"task": "t", "when": CRON, "catch_up": "some"}, "/catch_up"),
    ({"task": "t", "when": CRON, "catch_up_limit": 1001}, "/catch_up_limit"),
    ({"task": "t", "when": CRON, "cron": "0 2 * * *"}, "/cron"),
]


def faults(data: object) -> tuple[Fault, ...]:
    with pytest.raises(InvalidScheduleError) as error:
        check_time(read(data).settled(NOW, "UTC"), NOW)
    assert error.value.status == 422
    return error.value.faults


@pytest.mark.parametrize(("data", "path"), BAD, ids=[f"{i}{path}" for i, (_, path) in enumerate(BAD)])
def test_names_the_field_and_shows_a_right_example(data: dict[str, Any], path: str) -> None:
    (fault, *_) = faults(data)
    assert fault.path == path
    message, _, example = fault.message.partition("; right would be, for example, ")
    assert message
    field, right = path.split("/")[1], json.loads(example)
    mended = {**data, field: right} if field in {*EXAMPLES, "when"} else right
    mended.pop("start", None)
    read(mended)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"task": "t", "when": {"kind": "once", "at": "2026-05-31T23:59:59Z"}}, "/when/at"),
        ({"task": "t", "when": {"kind": "once", "at": "2020-01-01T00:00:00", "timezone": "Asia/Tokyo"}}, "/when/at"),
        ({"task": "t", "when": CRON, "end": "2026-05-01T00:00:00Z"}, "/end"),
        ({"task": "t", "when": {"kind": "cron", "cron": "0 0 31 2,4,6,9,11 *"}}, "/when"),
    ],
)
def test_a_schedule_that_never_fires_is_refused(data: dict[str, Any], path: str) -> None:
    assert [fault.path for fault in faults(data)] == [path]


def test_all_faults_are_told_at_once() -> None:
    found = faults({"task": "t", "when": {"kind": "crontab", "minute": 99, "hour": 99}, "priority": 99})
    assert [fault.path for fault in found] == ["/when/minute", "/when/hour", "/priority"]


@pytest.mark.parametrize("kind", sorted(WHEN))
def test_examples_are_right(kind: str) -> None:
    definition = read({**EXAMPLES, "when": WHEN[kind]}).settled(NOW, "UTC")
    check_time(definition, NOW)
    assert read(definition.model_dump(mode="json")) == definition


def test_no_dictionary_at_all() -> None:
    assert [fault.path for fault in faults([1])] == [""]
