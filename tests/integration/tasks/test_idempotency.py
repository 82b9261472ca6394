"""once(): the body runs to its end once per key, through duplicates, failures, crashes and races."""

import json
from typing import Any

import pytest

from celeriac import keys
from celeriac.testing import Platform, until


def result(platform: Platform, run: str) -> Any:
    return json.loads(platform.client.get(keys.RESULT + run) or "{}").get("result")


def marks(platform: Platform, name: str) -> int:
    return int(platform.client.get(f"mark:{name}") or 0)


def test_a_second_run_returns_the_first_ones_result(platform: Platform) -> None:
    first, second = (platform.send("once_tasks.charge", "order-1") for _ in range(2))
    assert {platform.ended(run).state for run in (first, second)} == {"succeeded"}
    assert result(platform, first) == result(platform, second) == {"charged": "order-1"}
    assert marks(platform, "order-1") == 1


def test_async_bodies_too(platform: Platform) -> None:
    runs = [platform.send("once_tasks.charge_async", "order-2") for _ in range(3)]
    assert {platform.ended(run).state for run in runs} == {"succeeded"}
    assert len({result(platform, run)["run"] for run in runs}) == 1
    assert marks(platform, "order-2") == 1


def test_twenty_at_once_on_two_workers(platform: Platform) -> None:
    runs = [platform.send("once_tasks.charge", "order-3", 1) for _ in range(20)]
    assert {platform.ended(run).state for run in runs} == {"succeeded"}
    assert marks(platform, "order-3") == 1


def test_a_failure_frees_the_key(platform: Platform) -> None:
    assert platform.ended(platform.send("once_tasks.fail_first", "order-4")).state == "failed"
    assert platform.ended(platform.send("once_tasks.fail_first", "order-4")).state == "succeeded"
    assert platform.ended(platform.send("once_tasks.fail_first", "order-4")).state == "succeeded"
    assert marks(platform, "order-4") == 2


def test_a_crash_in_the_middle_is_followed_by_the_same_run(platform: Platform) -> None:
    run = platform.send("once_tasks.die_first", "order-5")
    assert platform.ended(run).state == "succeeded"
    assert marks(platform, "order-5") == 2
    assert platform.ended(platform.send("once_tasks.die_first", "order-5")).state == "succeeded"
    assert marks(platform, "order-5") == 2


def test_after_the_window_the_work_is_done_again(platform: Platform) -> None:
    assert platform.ended(platform.send("once_tasks.charge_briefly", "order-6")).state == "succeeded"
    until(lambda: not platform.client.exists(keys.ONCE + "once_tasks.charge_briefly:order-6"))
    run = platform.send("once_tasks.charge_briefly", "order-6")
    assert platform.ended(run).state == "succeeded"
    assert result(platform, run) == 2


def test_every_key_has_an_end(platform: Platform) -> None:
    platform.ended(platform.send("once_tasks.charge", "order-7"))
    left = platform.client.pttl(keys.ONCE + "once_tasks.charge:order-7")
    assert left == pytest.approx(86_400_000, rel=0.01)
