"""Must show: with Redis away submissions are 503 within 2 s, and go on by themselves when it is back."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from celeriac.catalog import Entry
from celeriac.catalog.store import publish
from celeriac.testing import SentinelGroup, Server, until

StartApi = Callable[..., Any]
GOOD = {"name": "shop.report", "args": [2026]}


@pytest.fixture
def api(server: Server, start_api: StartApi, offered: list[Entry]) -> Any:
    with server.client() as client:
        publish(client, "default", offered)
    return start_api(server.url)


def submit_timed(http: httpx.Client) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    answer = http.post("/v1/tasks", json=GOOD)
    return answer, time.monotonic() - began


def assert_refused_in_time(http: httpx.Client, longest: float = 2.0) -> None:
    answer, seconds = submit_timed(http)
    assert answer.status_code == 503, answer.text
    assert seconds < longest
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["code"] == "unavailable"


def test_a_master_that_takes_no_writes_does_not_say_that_a_run_is_unknown(api: Any, server: Server) -> None:
    """It may have been replaced, and know nothing of the newest runs."""
    with api.client() as http, server.client() as client:
        known = submit_timed(http)[0].json()["id"]
        client.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
        assert http.get(f"/v1/tasks/{known}").status_code == 200
        assert http.get("/v1/tasks/newest").status_code == 503
        client.execute_command("CLIENT", "UNPAUSE")
        assert http.get("/v1/tasks/newest").status_code == 404


def test_a_stopped_server_is_a_503_and_its_return_needs_no_restart(api: Any, server: Server) -> None:
    with api.client() as http:
        assert submit_timed(http)[0].status_code == 202
        server.stop()
        for _ in range(5):
            assert_refused_in_time(http)
        assert http.get("/healthz").status_code == 200
        assert http.get("/readyz").status_code == 200
        assert http.get("/v1/tasks/x").status_code == 503
        assert len(http.get("/v1/catalog").json()["items"]) == 3, "the copy of the last minute still serves"
        assert http.get("/health/celery").status_code == 503
        server.start()
        assert submit_timed(http)[0].status_code == 202


def test_a_hung_server_is_a_503_within_the_deadline(api: Any, server: Server) -> None:
    with api.client() as http:
        accepted, _ = submit_timed(http)
        assert accepted.status_code == 202
        server.hang()
        try:
            assert_refused_in_time(http)
            began = time.monotonic()
            assert http.get("/healthz").status_code == 200
            assert time.monotonic() - began < 1
            with ThreadPoolExecutor(100) as pool:
                clients = [httpx.Client(base_url=api.url, timeout=30) for _ in range(100)]
                answers = list(pool.map(submit_timed, clients))
                for client in clients:
                    client.close()
            assert {answer.status_code for answer, _ in answers} == {503}
            assert sorted(seconds for _, seconds in answers)[50] < 2
        finally:
            server.resume()
        until(lambda: submit_timed(http)[0].status_code == 202, 10)
        assert http.get(accepted.headers["location"]).json()["state"] == "queued"


def test_an_api_started_before_redis_is_alive_not_ready_and_recovers(
    tmp_path: Path, start_api: StartApi, offered: list[Entry]
) -> None:
    server = Server(tmp_path / "late")
    api = start_api(server.url)
    with api.client() as http:
        assert http.get("/healthz").status_code == 200
        assert http.get("/readyz").status_code == 503
        assert_refused_in_time(http)
        with server, server.client() as client:
            publish(client, "default", offered)
            until(lambda: http.get("/readyz").status_code == 200)
            until(lambda: submit_timed(http)[0].status_code == 202)


def test_a_sentinel_failover_is_a_503_until_the_new_master(
    tmp_path: Path, start_api: StartApi, offered: list[Entry]
) -> None:
    with SentinelGroup(tmp_path / "group", password="pw", sentinel_password="spw") as group:
        with group.master().client() as client:
            publish(client, "default", offered)
            client.wait(2, 5000)
        api = start_api(group.url, redis_password="pw", redis_sentinel_password="spw")
        with api.client() as http:
            first, _ = submit_timed(http)
            assert first.status_code == 202
            until(lambda: replicated(group))
            group.master().kill()
            until(lambda: no_later_than(http, 2.0) == 202, 30)
            assert http.get(first.headers["location"]).json()["state"] == "queued"


def replicated(group: SentinelGroup) -> bool:
    with group.master().client() as client:
        return int(client.wait(2, 1000)) == 2


def no_later_than(http: httpx.Client, longest: float) -> int:
    answer, seconds = submit_timed(http)
    assert answer.status_code in (202, 503), answer.text
    assert seconds < longest
    return answer.status_code
