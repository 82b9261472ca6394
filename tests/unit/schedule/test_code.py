"""Entries of Celery's ``beat_schedule`` as schedules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from celery.beat import BeatLazyFunc
from celery.schedules import crontab, schedule, solar

from celeriac.errors import ConfigurationError
from celeriac.schedule.code import Declared, check_queues, declared
from celeriac.schedule.definition import CatchUp, Overlap
from celeriac.schedule.rule import fires
from celeriac.schedule.spec import milliseconds, moment

START = milliseconds(datetime(2026, 3, 28, tzinfo=UTC))


def read(entry: Any, **conf: Any) -> Declared:
    app = Celery("test", set_as_current=False)
    app.conf.update(timezone="Europe/Berlin", beat_schedule={"nightly": entry}, **conf)
    (found,) = declared(app)
    assert found.id == "nightly"
    return found


def times(entry: Any, count: int = 3) -> list[str]:
    rule = read(entry).definition.settled(START, "UTC").rule()
    found = fires(rule, START, START + 400 * 86_400_000)
    return [moment(next(found)).strftime("%m-%d %H:%M:%S") for _ in range(count)]


@pytest.mark.parametrize("every", [10, 10.0, timedelta(seconds=10), schedule(timedelta(seconds=10))])
def test_intervals(every: Any) -> None:
    assert times({"task": "t", "schedule": every}) == ["03-28 00:00:10", "03-28 00:00:20", "03-28 00:00:30"]


def test_relative_intervals_are_round() -> None:
    entry = {"task": "t", "schedule": timedelta(hours=1), "relative": True}
    rule = read(entry).definition.rule()
    assert moment(rule.after(START + 1_234_567) or 0).strftime("%H:%M:%S") == "01:00:00"
    assert read({"task": "t", "schedule": schedule(60.0, relative=True)}).definition.when.kind == "interval"


def test_crontab_is_in_the_zone_of_the_app() -> None:
    entry = {"task": "t", "schedule": crontab(minute=30, hour="2,14", day_of_week="sat,sun")}
    assert times(entry) == ["03-28 01:30:00", "03-28 13:30:00", "03-29 01:00:00"]


def test_crontab_of_every_form() -> None:
    value = crontab(
        minute="*/20,5", hour=[1, 2], day_of_month="1-7,15-21", month_of_year="jan,jul-sep/2", day_of_week=[1]
    )
    found = read({"task": "t", "schedule": value}).definition.when
    assert found.model_dump(exclude={"kind", "timezone"}) == {
        "minute": "0,5,20,40", "hour": "1,2", "day_of_month": "1,2,3,4,5,6,7,15,16,17,18,19,20,21",
        "month_of_year": "1,7,9", "day_of_week": "1",
    }  # fmt: skip


def test_solar() -> None:
    found = read({"task": "t", "schedule": solar("sunset", -37.81, 144.96)}).definition.when
    assert found.model_dump() == {"kind": "solar", "event": "sunset", "latitude": -37.81, "longitude": 144.96}


def test_what_celery_cannot_say() -> None:
    cron = {"kind": "cron", "cron": "0 9 L * *", "timezone": "Asia/Tokyo"}
    found = read(
        {"task": "t", "schedule": cron, "celeriac": {"overlap": "skip", "catch_up": "all", "jitter_seconds": 5}}
    )
    assert found.definition.when.model_dump(exclude_unset=True) == cron
    assert (found.definition.overlap, found.definition.catch_up) == (Overlap.SKIP, CatchUp.ALL)


def test_arguments_and_options() -> None:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    found = read(
        {"task": "t", "schedule": 5, "args": (1, when), "kwargs": {"a": (2,)},
         "options": {"queue": "io", "priority": 0, "expires": timedelta(minutes=1)}}
    )  # fmt: skip
    assert found.arguments == ([1, when], {"a": (2,)})
    assert found.definition.args[0] == 1
    assert found.definition.kwargs == {"a": [2]}
    assert (found.definition.queue, found.definition.priority, found.definition.expires_seconds) == ("io", 0, 60)


def test_the_starting_deadline_bounds_catching_up() -> None:
    entry = {"task": "t", "schedule": crontab()}
    assert read(entry, beat_cron_starting_deadline=90).definition.catch_up_window_seconds == 90
    assert read(entry).definition.catch_up_window_seconds is None


def test_periodic_tasks_are_entries_too() -> None:
    app = Celery("test", set_as_current=False)

    @app.task(name="add")
    def add(a: int, b: int) -> int:
        return a + b

    app.add_periodic_task(30.0, add.s(1, 2), name="sum", expires=10)
    (found,) = declared(app)
    assert (found.id, found.arguments, found.definition.expires_seconds) == ("sum", ([1, 2], {}), 10)


class Moonrise(schedule):
    def __init__(self) -> None:
        super().__init__(5, nowfun=lambda: datetime.now(UTC))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"task": "t"}, "None; write seconds, a timedelta, crontab"),
        ({"task": "t", "schedule": "0 2 * * *"}, "write seconds"),
        ({"task": "t", "schedule": True}, "write seconds"),
        ({"schedule": 5}, "/task"),
        ({"task": "t", "schedule": 0}, "/when/every_seconds"),
        ({"task": "t", "schedule": 5, "arg": 1}, "has arg; it may have"),
        ({"task": "t", "schedule": 5, "options": {"exchange": "x"}}, "the option exchange"),
        ({"task": "t", "schedule": 5, "options": {"priority": 11}}, "/priority"),
        ({"task": "t", "schedule": 5, "celeriac": {"overlap": "no"}}, "/overlap"),
        ({"task": "t", "schedule": 5, "args": [BeatLazyFunc(print)]}, "BeatLazyFunc"),
        ({"task": "t", "schedule": 5, "args": [object()]}, "JSON serializable"),
        ({"task": "t", "schedule": Moonrise()}, "nowfun"),
        ({"task": "t", "schedule": {"kind": "cron", "cron": "* * *"}}, "/when/cron"),
        (5, "no dictionary"),
    ],
)
def test_what_is_wrong_is_told_with_the_entrys_name(entry: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read(entry)
    assert str(error.value).startswith("The schedule 'nightly' of beat_schedule")
    assert words in str(error.value)


def test_a_queue_there_is_not() -> None:
    with pytest.raises(ConfigurationError, match=r"'nowhere'.*CELERIAC_TASK_QUEUES"):
        check_queues([read({"task": "t", "schedule": 5, "options": {"queue": "nowhere"}})], ["default", "io"])
