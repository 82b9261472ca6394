"""Batch, chain and chord over HTTP with real workers: the whole, its parts, and a part that fails."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from celery import group

from celeriac import canvas
from celeriac.testing import Platform, Server, until
from cookbook.patterns.steps import process_item
from cookbook.web.main import create_app

from .conftest import serving


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    packages = "cookbook.patterns"
    with Server(folder / "valkey") as server, Platform(folder, server.url, task_packages=packages) as platform:
        platform.worker(worker_concurrency="4")
        platform.scheduler()
        yield platform


@pytest.fixture(scope="module")
def http(platform: Platform) -> Iterator[httpx.Client]:
    with serving(create_app(platform.settings)) as client:
        yield client


def finished(http: httpx.Client, url: str) -> dict[str, Any]:
    """Wait until the whole has ended, and return its status."""
    until(lambda: http.get(url).json()["state"] in ("succeeded", "failed"), 90)
    status: dict[str, Any] = http.get(url).json()
    return status


def submitted(http: httpx.Client, path: str, body: object) -> str:
    answer = http.post(path, json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["status_url"])


def test_a_batch(http: httpx.Client) -> None:
    status = finished(http, submitted(http, "/process-batch", [{"n": n} for n in range(20)]))
    assert (status["state"], status["counts"]) == ("succeeded", {"succeeded": 20})
    for part in status["parts"]:
        assert http.get(f"/tasks/{part['task_id']}").json()["state"] == "succeeded"


def test_a_chain(http: httpx.Client) -> None:
    status = finished(http, submitted(http, "/process-chain", {"order": 7}))
    assert [part["state"] for part in status["parts"]] == ["succeeded"] * 3


def test_a_chord(http: httpx.Client) -> None:
    status = finished(http, submitted(http, "/process-chord", [{"n": n} for n in range(5)]))
    assert status["counts"] == {"succeeded": 6}


def test_a_part_of_a_batch_that_fails_is_named(http: httpx.Client) -> None:
    status = finished(http, submitted(http, "/process-batch", [{"n": 1}, {"fail": True}]))
    bad = next(part for part in status["parts"] if part["state"] == "failed")
    assert (status["state"], status["reason"]) == ("failed", f"{bad['task']} [{bad['task_id']}] failed")
    assert "StepError: cannot process" in http.get(f"/tasks/{bad['task_id']}").json()["error"]


def test_a_chain_ends_with_its_failing_step(http: httpx.Client) -> None:
    status = finished(http, submitted(http, "/process-chain", {"fail_at": 2}))
    assert status["state"] == "failed"
    assert [part["state"] for part in status["parts"]][:2] == ["succeeded", "failed"]
    assert "succeeded" not in [part["state"] for part in status["parts"]][2:]


def test_a_chord_with_a_failing_part_does_not_wait_for_ever(http: httpx.Client) -> None:
    status = finished(http, submitted(http, "/process-chord", [{"n": 1}, {"fail": True}]))
    assert status["state"] == "failed"
    assert status["reason"]


def test_sending_the_parts_again_changes_nothing(http: httpx.Client, platform: Platform) -> None:
    """What a second delivery of the run that sends them does: their ids are known."""
    fixed = canvas.fix(group(process_item.s({"n": n}) for n in range(3)))
    starts = [platform.send(canvas.TASK, fixed.signature) for _ in range(2)]
    for run in starts:
        assert platform.ended(run).state == "succeeded"
    records = [platform.ended(part.id) for part in fixed.parts]
    assert [(record.state, record.deliveries) for record in records] == [("succeeded", 1)] * 3
