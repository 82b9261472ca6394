import pytest
from celery.schedules import crontab_parser
from hypothesis import given
from hypothesis import strategies as st

from celeriac.schedule import field
from celeriac.schedule.field import (
    CRON_DAY_OF_WEEK,
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOUR,
    MINUTE,
    MONTH_OF_YEAR,
    FieldError,
)

CELERYS = {
    "minute": crontab_parser(60),
    "hour": crontab_parser(24),
    "day_of_week": crontab_parser(7),
    "day_of_month": crontab_parser(31, 1),
    "month_of_year": crontab_parser(12, 1),
}


@st.composite
def texts(draw: st.DrawFn) -> tuple[field.Field, str]:
    chosen = draw(st.sampled_from(field.CELERY))
    number = st.integers(chosen.low, chosen.high).map(str)
    value = number | st.sampled_from([word[:3] for word in chosen.words]) if chosen.words else number
    ranged = st.tuples(value, value).map("-".join)
    step = st.integers(1, 40).map("/{}".format)
    part = value | ranged | st.just("*") | st.tuples(ranged | st.just("*"), step).map("".join)
    return chosen, ",".join(draw(st.lists(part, min_size=1, max_size=4)))


@given(texts())
def test_reads_what_celery_reads_as_celery_does(case: tuple[field.Field, str]) -> None:
    chosen, text = case
    assert chosen.parse(text) == CELERYS[chosen.name].parse(text)


@given(texts())
def test_text_reads_back(case: tuple[field.Field, str]) -> None:
    chosen, text = case
    values = chosen.parse(text)
    assert chosen.parse(chosen.text(values)) == values


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (MINUTE, "60"), (MINUTE, ""), (MINUTE, "1,,2"), (MINUTE, "*/0"), (MINUTE, "5/15"), (MINUTE, "mon"),
        (MINUTE, "1-5/2/3"), (MINUTE, "1-5-9"), (MINUTE, "-1"), (MINUTE, "*-5"), (MINUTE, "1.5"), (MINUTE, "²"),
        (HOUR, "24"), (DAY_OF_MONTH, "0"), (DAY_OF_MONTH, "32"), (MONTH_OF_YEAR, "jax"), (MONTH_OF_YEAR, "ma"),
        (DAY_OF_WEEK, "7"), (CRON_DAY_OF_WEEK, "8"),
    ],
)  # fmt: skip
def test_refuses_and_names_the_field(chosen: field.Field, text: str) -> None:
    with pytest.raises(FieldError) as error:
        chosen.parse(text)
    assert error.value.field == chosen.name
    assert str(error.value).startswith(f"{chosen.name}: ")


def test_takes_numbers_and_lists() -> None:
    assert HOUR.parse(5) == {5}
    assert HOUR.parse([1, 23]) == {1, 23}
    assert DAY_OF_WEEK.parse("Tues,thurs") == {2, 4}
    for wrong in (True, [], [24], ["x"]):
        with pytest.raises(FieldError):
            HOUR.parse(wrong)  # type: ignore[arg-type]
