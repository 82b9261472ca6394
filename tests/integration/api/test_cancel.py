"""Cancelling over HTTP. What the scripts do is in ``tests/integration/test_cancel.py``."""

import httpx
import pytest
import redis

from celeriac import keys
from celeriac.states import State


def submitted(http: httpx.Client, **more: object) -> str:
    answer = http.post("/v1/tasks", json={"name": "shop.report", "args": [2026], **more})
    assert answer.status_code == 202, answer.text
    id: str = answer.json()["id"]
    return id


def test_a_waiting_run_is_cancelled(http: httpx.Client) -> None:
    run = submitted(http)
    answer = http.post(f"/v1/tasks/{run}/cancel", params={"reason": "ordered twice"})
    assert (answer.status_code, answer.json()) == (200, {"id": run, "outcome": "cancelled"})
    shown = http.get(f"/v1/tasks/{run}").json()
    assert (shown["state"], shown["reason"]) == ("cancelled", "ordered twice")
    assert shown["cancel_requested"]


def test_one_that_a_worker_has_is_202(http: httpx.Client, client: redis.Redis) -> None:
    run = submitted(http)
    client.hset(keys.RUN + run, mapping={"state": State.RUNNING, "owner": "default/abc"})
    answer = http.post(f"/v1/tasks/{run}/cancel", params={"terminate": "true"})
    assert (answer.status_code, answer.json()["outcome"]) == (202, "requested")
    assert http.get(f"/v1/tasks/{run}").json()["state"] == "running"


def test_unknown_is_404_and_ended_is_409(http: httpx.Client) -> None:
    assert http.post("/v1/tasks/nobody/cancel").status_code == 404
    run = submitted(http)
    http.post(f"/v1/tasks/{run}/cancel")
    again = http.post(f"/v1/tasks/{run}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_by_filter(http: httpx.Client) -> None:
    kept, gone = submitted(http), [submitted(http, queue="io") for _ in range(3)]
    answer = http.post("/v1/tasks/cancel", json={"name": "shop.report", "queue": "io", "states": ["queued"]})
    assert (answer.status_code, answer.json()) == (200, {"cancelled": 3, "requested": 0})
    assert {http.get(f"/v1/tasks/{id}").json()["state"] for id in gone} == {"cancelled"}
    assert http.get(f"/v1/tasks/{kept}").json()["state"] == "queued"


@pytest.mark.parametrize(
    ("body", "path"),
    [({}, ""), ({"states": ["succeeded"]}, "/states/0"), ({"older_than": -1}, "/older_than"), ({"x": 1}, "/x")],
)
def test_a_bad_filter_is_422_and_cancels_nothing(http: httpx.Client, body: dict[str, object], path: str) -> None:
    run = submitted(http)
    answer = http.post("/v1/tasks/cancel", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)
    assert http.get(f"/v1/tasks/{run}").json()["state"] == "queued"
