import json
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx
import redis

from celeriac import keys
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Server, until

StartApi = Callable[..., Any]


def test_alive_and_ready(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    until(lambda: http.get("/readyz").status_code == 200)


def test_workers_are_known_by_what_they_write(http: httpx.Client, client: redis.Redis) -> None:
    none = http.get("/health/celery")
    assert none.status_code == 503
    assert "No worker has been seen" in none.json()["detail"]
    now = time.time() * 1000
    client.zadd(keys.WORKERS, {"new": now, "old": now - 120_000, "silent": now})
    for name in ("new", "old"):
        client.set(keys.WORKER + name, json.dumps({"group": "default", "queues": ["default"]}))
    found = http.get("/health/celery").json()
    assert found["status"] == "healthy"
    assert [worker["name"] for worker in found["workers"]] == ["new"]
    assert found["workers"][0]["report"]["queues"] == ["default"]


def test_metrics_count_by_route_template(http: httpx.Client) -> None:
    for id in ("a", "b"):
        http.get(f"/v1/tasks/{id}")
    http.get("/nowhere/at/all")
    text = http.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(lines['celeriac_api_requests_total{method="GET",route="/v1/tasks/{id}",status="404"}']) >= 2
    assert float(lines['celeriac_api_requests_total{method="GET",route="unmatched",status="404"}']) >= 1
    assert "/v1/tasks/a" not in text


def test_a_request_is_logged_once_with_its_id(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url)
    with api.client() as http:
        http.get("/v1/tasks/x?secret=1", headers={"X-Request-ID": "find-me"})
        http.get("/healthz", headers={"X-Request-ID": "quiet"})
    until(lambda: "find-me" in api.log)
    (line,) = [line for line in api.events("request") if line["request_id"] == "find-me"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/tasks/{id}", 422)
    assert line["duration_ms"] > 0
    assert "secret" not in json.dumps(line)
    assert "quiet" not in api.log


def test_sigterm_unreadies_first_then_ends_in_order(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url, api_shutdown_delay_seconds="3")
    with api.client() as http, server.client() as client:
        until(lambda: http.get("/readyz").status_code == 200)
        assert "connection" not in http.get("/healthz").headers
        submit(client, Submission(task="a", queue="default", priority=3, id="r-1"), DeliverySettings())
        api.signal(signal.SIGTERM)
        until(lambda: http.get("/readyz").status_code == 503)
        alive = http.get("/healthz")
        assert (alive.status_code, alive.headers["connection"]) == (200, "close")
        waited = http.get("/v1/tasks/r-1?wait=30")
        assert (waited.status_code, waited.json()["state"]) == (200, "queued")
        assert api.process.wait(20) == 0, api.log
        assert "Traceback" not in api.log


def test_a_setting_that_is_wrong_is_named_on_one_line(server: Server, start_api: StartApi) -> None:
    try:
        start_api(server.url, api_max_body_bytes="10")
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1]
        assert "celeriac-api: CELERIAC_API_MAX_BODY_BYTES" in last
    else:
        raise AssertionError("it started")
