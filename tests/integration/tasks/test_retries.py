"""Retries: automatic, by hand, by class of error; and what "used up" looks like."""

import json
from typing import Any

from celeriac import keys
from celeriac.testing import Platform
from cookbook.patterns.retries import automatic, by_class, manual


def result(platform: Platform, run: str) -> Any:
    return json.loads(platform.client.get(keys.RESULT + run) or "{}")


def test_a_run_is_retried_until_it_succeeds(platform: Platform) -> None:
    runs = [platform.send(automatic.s(2)), platform.send(manual.s(1)), platform.send(by_class.s("temporary"))]
    records = [platform.ended(run) for run in runs]
    assert [record.state for record in records] == ["succeeded"] * 3
    assert [record.retries for record in records] == [2, 1, 1]
    assert [result(platform, run)["result"] for run in runs] == [3, 2, 2]


def test_retries_used_up_are_a_failure(platform: Platform) -> None:
    runs = [platform.send(automatic.s(99)), platform.send(manual.s(99))]
    for run in runs:
        record = platform.ended(run)
        assert (record.state, record.retries) == ("failed", 3)
        assert record.error is not None
        assert record.error["type"].endswith("TemporaryError")
        assert result(platform, run)["status"] == "FAILURE"


def test_each_class_of_error_is_treated_in_its_own_way(platform: Platform) -> None:
    invalid, limited = platform.send(by_class.s("invalid")), platform.send(by_class.s("limited"))
    record = platform.ended(invalid)
    assert (record.state, record.retries) == ("failed", 0)
    record = platform.ended(limited)
    assert (record.state, record.retries) == ("succeeded", 1)
