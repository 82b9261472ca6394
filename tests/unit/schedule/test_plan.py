"""What is decided about fires that are due, late or missed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celeriac.schedule.fault import read
from celeriac.schedule.plan import GRACE_MS, Plan, due_at, plan
from celeriac.schedule.rule import fires

EVERY = 10_000


def decide(pending: int, now: int, **fields: Any) -> Plan:
    when = {"kind": "interval", "every_seconds": EVERY / 1000, "anchor": "1970-01-01T00:00:00Z"}
    definition = read({"task": "t", "when": when, **fields})
    return plan("s", definition, definition.rule(), pending, now)


@pytest.mark.parametrize("catch_up", ["none", "last", "all"])
def test_on_time(catch_up: str) -> None:
    assert decide(100_000, 100_003, catch_up=catch_up) == Plan((100_000,), 0, None, 110_000)


@pytest.mark.parametrize("catch_up", ["none", "last", "all"])
def test_within_grace_is_on_time(catch_up: str) -> None:
    assert decide(100_000, 100_000 + GRACE_MS, catch_up=catch_up).runs == (100_000,)


def test_catch_up_none() -> None:
    decision = decide(100_000, 139_000, catch_up="none")
    assert decision.runs == ()
    assert decision.missed is not None
    assert (decision.missed.first, decision.missed.last, decision.missed.count) == (100_000, 130_000, 4)
    assert decision.next == 140_000


def test_catch_up_last() -> None:
    decision = decide(100_000, 139_000, catch_up="last")
    assert decision.runs == (130_000,)
    assert decision.made_up == 1
    assert decision.missed is not None
    assert (decision.missed.first, decision.missed.last, decision.missed.count) == (100_000, 120_000, 3)


def test_catch_up_last_leaves_it_to_a_fire_that_is_due_anyway() -> None:
    decision = decide(100_000, 141_000, catch_up="last")
    assert decision.runs == (140_000,)
    assert decision.made_up == 0
    assert decision.missed is not None
    assert decision.missed.last == 130_000


def test_catch_up_all() -> None:
    decision = decide(100_000, 141_000, catch_up="all")
    assert decision == Plan((100_000, 110_000, 120_000, 130_000, 140_000), 4, None, 150_000)


def test_catch_up_all_keeps_the_newest_up_to_its_limit() -> None:
    decision = decide(100_000, 139_000, catch_up="all", catch_up_limit=2)
    assert decision.runs == (120_000, 130_000)
    assert decision.missed is not None
    assert (decision.missed.first, decision.missed.last, decision.missed.count) == (100_000, 110_000, 2)


def test_a_year_of_seconds_is_not_walked_through() -> None:
    decision = decide(0, 365 * 86_400_000 + 6000, catch_up="all", catch_up_limit=3)
    assert len(decision.runs) == 3
    assert decision.missed is not None
    assert decision.missed.more
    assert decision.missed.count == 997


def test_the_end_ends_it() -> None:
    decision = decide(100_000, 139_000, catch_up="all", end="1970-01-01T00:02:00Z")
    assert decision == Plan((100_000, 110_000, 120_000), 3, None, None)


@given(
    st.integers(0, 50), st.integers(0, 400_000), st.sampled_from(["none", "last", "all"]), st.integers(1, 10),
    st.sampled_from([0, 3, 9]),
)  # fmt: skip
def test_every_fire_is_run_or_missed_or_still_to_come(
    first: int, waited: int, catch_up: str, limit: int, jitter: int
) -> None:
    pending, now = first * EVERY, first * EVERY + waited
    when = {"kind": "interval", "every_seconds": 10, "anchor": "1970-01-01T00:00:00Z"}
    policy = {"jitter_seconds": jitter, "catch_up": catch_up, "catch_up_limit": limit}
    definition = read({"task": "t", "when": when, **policy})
    rule = definition.rule()
    decision = plan("s", definition, rule, pending, now)
    assert decision.next is not None
    dealt_with = [fire for fire in fires(rule, pending - 1, now) if fire < decision.next]
    given_up = [] if decision.missed is None else [
        fire for fire in dealt_with if decision.missed.first <= fire <= decision.missed.last
    ]  # fmt: skip
    assert sorted([*decision.runs, *given_up]) == dealt_with
    assert decision.missed is None or decision.missed.count == len(given_up)
    assert all(due_at("s", fire, definition) <= now for fire in decision.runs)
    assert due_at("s", decision.next, definition) > now or decision.next > now


@given(st.text(min_size=1), st.integers(0, 2**41))
def test_jitter_is_within_bounds_and_the_same_for_all(id: str, fire: int) -> None:
    when = {"kind": "cron", "cron": "* * * * *"}
    definition = read({"task": "t", "when": when, "jitter_seconds": 30})
    due = due_at(id, fire, definition)
    assert fire <= due < fire + 30_000
    assert due == due_at(id, fire, definition)
