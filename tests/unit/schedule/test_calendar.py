from datetime import UTC, date, datetime, timedelta

import pytest
from celery import Celery
from celery.schedules import crontab
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from celeriac.schedule import cron
from celeriac.schedule.fault import read
from celeriac.schedule.rule import fires
from celeriac.schedule.spec import milliseconds, moment

YEAR_2026 = datetime(2026, 1, 1, tzinfo=UTC)


def days(text: str, start: datetime = YEAR_2026, years: int = 1) -> list[str]:
    end = start.replace(year=start.year + years)
    rule = cron.parse(text, "UTC")
    return [moment(f).strftime("%Y-%m-%d") for f in fires(rule, milliseconds(start) - 1, milliseconds(end) - 1)]


def test_months_without_a_31st_are_left_out() -> None:
    assert [day[5:7] for day in days("0 0 31 * *")] == ["01", "03", "05", "07", "08", "10", "12"]


def test_l_is_the_last_day_of_every_month() -> None:
    assert days("0 0 L 2,4,12 *", years=3) == [
        "2026-02-28", "2026-04-30", "2026-12-31", "2027-02-28", "2027-04-30", "2027-12-31",
        "2028-02-29", "2028-04-30", "2028-12-31",
    ]  # fmt: skip
    assert days("0 0 1,L 2 *") == ["2026-02-01", "2026-02-28"]


def test_leap_days_come_in_leap_years_only() -> None:
    start = datetime(2095, 1, 1, tzinfo=UTC)
    assert days("0 0 29 2 *", start, years=10) == ["2096-02-29", "2104-02-29"]


def test_a_leap_day_on_a_weekday_is_found_across_a_century() -> None:
    when = {"kind": "crontab", "minute": 0, "hour": 0, "day_of_month": 29, "month_of_year": 2, "day_of_week": "thu"}
    rule = read({"task": "t", "when": when}).rule()
    fire = rule.after(milliseconds(datetime(2080, 3, 1, tzinfo=UTC)))
    assert fire is not None
    assert moment(fire).date() == date(2120, 2, 29)


def test_a_day_that_never_comes() -> None:
    assert cron.parse("0 0 30 2 *", "UTC").after(milliseconds(YEAR_2026)) is None


def test_cron_text_takes_either_day_and_celery_both() -> None:
    text = days("0 0 13 * fri")
    assert len(text) == 52 + 12 - 3
    both = read({"task": "t", "when": {"kind": "crontab", "minute": 0, "hour": 0, "day_of_month": 13,
                                       "day_of_week": "fri"}}).rule()  # fmt: skip
    year = milliseconds(YEAR_2026.replace(year=2027))
    shown = [moment(f).strftime("%m-%d") for f in fires(both, milliseconds(YEAR_2026), year)]
    assert shown == ["02-13", "03-13", "11-13"]


@pytest.mark.parametrize("macro", sorted(cron.MACROS))
def test_macros(macro: str) -> None:
    assert cron.parse(macro, "UTC") == cron.parse(cron.MACROS[macro], "UTC")


def test_sunday_is_0_and_7() -> None:
    assert days("0 0 * * 7") == days("0 0 * * 0") == days("0 0 ? * sun") == days("0 0 ? * 7-7")


@pytest.mark.parametrize("text", ["", "* * * *", "* * * * * *", "@reboot", "61 * * * *", "* * * * L", "* * L-3 * *"])
def test_refuses_what_is_no_cron_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"field|number|range|within"):
        cron.parse(text, "UTC")


APP = Celery("test", set_as_current=False)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 hypothesis wants naive bounds


@given(
    st.sets(st.integers(0, 59), min_size=1, max_size=3), st.sets(st.integers(0, 23), min_size=1, max_size=3),
    st.sets(st.integers(1, 31), min_size=1, max_size=5), st.sets(st.integers(1, 12), min_size=1, max_size=4),
    instants,
)  # fmt: skip
def test_equals_croniter_in_utc(m: set[int], h: set[int], d: set[int], mo: set[int], start: datetime) -> None:
    text = " ".join(",".join(map(str, sorted(part))) for part in (m, h, d, mo)) + " *"
    ours = cron.parse(text, "UTC").after(milliseconds(start))
    if ours is None:
        assert max(mo) == min(mo) == 2 or min(d) > 29
        return
    assert moment(ours) == croniter(text, start, max_years_between_matches=50).get_next(datetime)


@given(
    st.sets(st.integers(0, 59), min_size=1, max_size=3), st.sets(st.integers(0, 23), min_size=1, max_size=3),
    st.sets(st.integers(1, 28), min_size=1, max_size=5), st.sets(st.integers(1, 12), min_size=1, max_size=4),
    st.sets(st.integers(0, 6), min_size=1, max_size=4), instants,
)  # fmt: skip
def test_equals_celery_in_utc(
    m: set[int], h: set[int], d: set[int], mo: set[int], w: set[int], start: datetime
) -> None:
    when = {"kind": "crontab", "minute": sorted(m), "hour": sorted(h), "day_of_month": sorted(d),
            "month_of_year": sorted(mo), "day_of_week": sorted(w)}  # fmt: skip
    ours = read({"task": "t", "when": when}).rule().after(milliseconds(start))
    fields = [",".join(map(str, part)) for part in (m, h, w, d, mo)]
    celerys = crontab(*fields, nowfun=lambda: start, app=APP)
    assert ours is not None
    # Celery's answer is exact to the second, and strictly later.
    assert abs(moment(ours) - (start + celerys.remaining_estimate(start))) < timedelta(seconds=1)
