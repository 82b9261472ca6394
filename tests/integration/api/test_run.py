"""What GET /v1/tasks/{id} shows of a run at each stage."""

import json
from typing import Any

import httpx
import pytest
import redis
from celery.backends import base

from celeriac import keys
from celeriac.artifacts import Artifact, store
from celeriac.settings.task import DeliverySettings, ResultSettings
from celeriac.submit import Submission, submit

compress: Any = base.compress_payload  # type: ignore[attr-defined]  # the stubs do not have it yet


@pytest.fixture
def run(client: redis.Redis) -> str:
    submit(client, Submission(task="shop.report", queue="default", priority=3, id="r-1"), DeliverySettings())
    return "r-1"


def shown(http: httpx.Client, id: str) -> dict[str, Any]:
    answer = http.get(f"/v1/tasks/{id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_running_run_shows_progress_and_worker(http: httpx.Client, client: redis.Redis, run: str) -> None:
    fields: Any = {
        "state": "running",
        "started": "1700000000123",
        "worker": "w1",
        "deliveries": "2",
        "progress": '{"state": "PROGRESS", "meta": {"a": 1}}',
    }
    client.hset(keys.RUN + run, mapping=fields)
    found = shown(http, run)
    assert (found["state"], found["worker"], found["deliveries"], found["progress"]) == ("running", "w1", 2, {"a": 1})
    assert found["progress_state"] == "PROGRESS"
    assert found["started"] == "2023-11-14T22:13:20.123000Z"
    assert found["result"] is None


def test_a_failure_shows_type_message_and_traceback(http: httpx.Client, client: redis.Redis, run: str) -> None:
    error = {"type": "shop.NoOrders", "message": "none in 2027", "traceback": "Traceback …"}
    client.hset(keys.RUN + run, mapping={"state": "failed", "finished": "1", "error": json.dumps(error)})
    assert shown(http, run)["error"] == error


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ('{"a": NaN, "b": [Infinity, -Infinity, 1e999]}', {"a": None, "b": [None, None, None]}),
        ('{"__type__": "datetime", "__value__": "2026-01-01T00:00:00"}', "2026-01-01T00:00:00"),
        ('"\\ud800"', "\ud800"),
        ("1" + "0" * 40, 10**40),
        ("null", None),
    ],
    ids=["numbers JSON has not", "kombu's envelope", "lone surrogate", "large integer", "nothing"],
)
def test_any_result_can_be_shown(
    http: httpx.Client, client: redis.Redis, run: str, stored: str, expected: object
) -> None:
    client.hset(keys.RUN + run, mapping={"state": "succeeded", "finished": 1, "deliveries": 1})
    client.set(keys.RESULT + run, f'{{"status": "SUCCESS", "result": {stored}}}')
    assert shown(http, run)["result"] == expected


@pytest.mark.parametrize("method", ["gzip", "bzip2"])
def test_a_compressed_result_is_shown(http: httpx.Client, client: redis.Redis, run: str, method: str) -> None:
    client.hset(keys.RUN + run, mapping={"state": "succeeded", "finished": "1", "deliveries": "1"})
    client.set(keys.RESULT + run, compress('{"status": "SUCCESS", "result": [1]}', method))
    assert shown(http, run)["result"] == [1]


@pytest.mark.parametrize(
    "stored", [b"\x80\x05pickle", b"[]", b"", b"\0celery-compressed\0application/x-gzip\0no gzip"]
)
def test_a_result_nobody_can_read_is_left_out(
    http: httpx.Client, client: redis.Redis, run: str, stored: bytes
) -> None:
    client.hset(keys.RUN + run, mapping={"state": "succeeded", "finished": "1", "deliveries": "1"})
    client.set(keys.RESULT + run, stored)
    assert (shown(http, run)["state"], shown(http, run)["result"]) == ("succeeded", None)


def test_a_stock_workers_result_is_shown(http: httpx.Client, client: redis.Redis, run: str) -> None:
    stored = {"status": "SUCCESS", "result": 3, "date_done": "2026-01-01T00:00:00+00:00", "traceback": None}
    client.set(keys.RESULT + run, json.dumps(stored))
    found = shown(http, run)
    assert (found["state"], found["result"], found["finished"]) == ("succeeded", 3, "2026-01-01T00:00:00Z")
    failure = {"exc_type": "ValueError", "exc_message": ["no", 5], "exc_module": "builtins"}
    client.set(keys.RESULT + run, json.dumps({**stored, "status": "FAILURE", "result": failure, "traceback": "T"}))
    assert shown(http, run)["error"] == {"type": "ValueError", "message": "no, 5", "traceback": "T"}


def test_an_artifact_is_served_as_its_task_said(http: httpx.Client, client: redis.Redis, run: str) -> None:
    files = [Artifact("chart.png", "image/png", b"\x89PNG\0"), Artifact("page.html", "text/html", b"<script>")]
    store(client, run, files, ResultSettings())
    chart = http.get(f"/v1/tasks/{run}/artifacts/chart.png")
    assert (chart.content, chart.headers["content-type"]) == (b"\x89PNG\0", "image/png")
    assert chart.headers["content-disposition"].startswith("inline")
    page = http.get(f"/v1/tasks/{run}/artifacts/page.html")
    assert page.headers["content-disposition"].startswith("attachment")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in page.headers["content-security-policy"]


def test_a_file_that_is_not_there_is_said_to_be(http: httpx.Client, run: str) -> None:
    for name in ("other.png", "chart.png:type"):
        answer = http.get(f"/v1/tasks/{run}/artifacts/{name}")
        assert answer.status_code == 404
        assert "has no artifact" in answer.json()["detail"]
