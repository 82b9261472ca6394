from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from celery.schedules import solar

from celeriac.schedule.rule import fires
from celeriac.schedule.solar import EVENTS, Event, Solar
from celeriac.schedule.spec import milliseconds, moment

START = milliseconds(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("event", EVENTS)
def test_once_a_day_in_the_tropics(event: Event) -> None:
    found = list(fires(Solar(event, 1.3, 103.8), START, START + 365 * 86_400_000))
    assert len(found) == 365
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert all(timedelta(hours=23) < timedelta(milliseconds=gap) < timedelta(hours=25) for gap in gaps)


def test_events_are_those_celery_knows() -> None:
    unknown: Any = "eclipse"
    with pytest.raises(ValueError, match="must be one of") as error:
        solar(unknown, 0, 0)
    assert sorted(EVENTS) == sorted(str(error.value).rpartition("must be one of ")[2].rstrip(".").split(", "))


def test_sunset_in_berlin_is_where_almanacs_have_it() -> None:
    """2026-06-21: 21:33 local by the usual definition."""
    fire = Solar("sunset", 52.52, 13.405).after(milliseconds(datetime(2026, 6, 21, 12, tzinfo=UTC)))
    assert fire is not None
    assert abs(moment(fire) - datetime(2026, 6, 21, 19, 33, tzinfo=UTC)) < timedelta(minutes=2)


def test_the_polar_night_is_waited_out() -> None:
    """No sunrise in Tromsø from late November to mid-January."""
    fire = Solar("sunrise", 69.65, 18.96).after(milliseconds(datetime(2026, 12, 1, tzinfo=UTC)))
    assert fire is not None
    assert datetime(2027, 1, 10, tzinfo=UTC) < moment(fire) < datetime(2027, 1, 20, tzinfo=UTC)


def test_what_never_happens_is_no_fire() -> None:
    assert Solar("sunset", 90.0, 0.0).after(milliseconds(datetime(2026, 10, 1, tzinfo=UTC))) is None
