import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import redis

from celeriac import keys
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit

JSON = {"Content-Type": "application/json"}


def message(client: redis.Redis, queue: str = "default", priority: int = 3) -> dict[str, Any]:
    """Take the message that waits in a queue's list."""
    text: Any = client.rpop(keys.queue_list(queue, priority))
    found: dict[str, Any] = json.loads(text)
    return found


def body_of(found: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(found["body"]))


def test_a_submission_is_accepted_with_its_id_and_place(http: httpx.Client, client: redis.Redis) -> None:
    answer = http.post("/v1/tasks", json={"name": "shop.report", "args": [2026], "kwargs": {"limit": 3}})
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert run == {"id": run["id"], "name": "shop.report", "queue": "default", "priority": 3, "state": "queued"}
    assert answer.headers["location"] == f"/v1/tasks/{run['id']}"
    sent = message(client)
    assert sent["headers"]["id"] == run["id"]
    assert sent["headers"]["request_id"] == answer.headers["x-request-id"]
    assert body_of(sent)[:2] == [[2026], {"limit": 3}]
    shown = http.get(answer.headers["location"]).json()
    assert (shown["state"], shown["name"], shown["request_id"]) == (
        "queued",
        "shop.report",
        answer.headers["x-request-id"],
    )


def test_queue_priority_and_delay_are_the_callers(http: httpx.Client, client: redis.Redis) -> None:
    http.post("/v1/tasks", json={"name": "shop.report", "args": [1], "queue": "io", "priority": 9})
    assert client.llen(keys.queue_list("io", 9)) == 1
    later = http.post("/v1/tasks", json={"name": "shop.report", "args": [1], "countdown": 3600, "expires": 7200})
    assert later.json()["state"] == "scheduled"
    score: Any = client.zscore(keys.DELAYED, later.json()["id"])
    assert score / 1000 == pytest.approx(time.time() + 3600, abs=10)
    eta = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    planned = http.post("/v1/tasks", json={"name": "shop.report", "args": [1], "eta": eta})
    shown = http.get(planned.headers["location"]).json()
    assert datetime.fromisoformat(shown["due"]) == pytest.approx(
        datetime.fromisoformat(eta), abs=timedelta(seconds=1)
    )


def test_text_arrives_as_the_annotated_type(http: httpx.Client, client: redis.Redis) -> None:
    assert http.post("/v1/tasks", json={"name": "shop.plan", "args": ["2026-01-02T03:04:05Z"]}).status_code == 202
    assert body_of(message(client))[0] == [{"__type__": "datetime", "__value__": "2026-01-02T03:04:05+00:00"}]


def test_numbers_and_text_arrive_unchanged(http: httpx.Client, client: redis.Redis) -> None:
    value = [1.0, 10**30, "Grüße 🌱 \x00", {"a": []}, None, True]
    assert http.post("/v1/tasks", json={"name": "shop.anything", "args": [value]}).status_code == 202
    assert repr(body_of(message(client))[0]) == repr([value])


def test_the_same_id_is_the_same_run(http: httpx.Client, client: redis.Redis) -> None:
    body = {"name": "shop.report", "args": [1], "id": "report-1"}
    first, again = http.post("/v1/tasks", json=body), http.post("/v1/tasks", json=body)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert client.llen(keys.queue_list("default", 3)) == 1
    other = http.post("/v1/tasks", json={**body, "args": [2]})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


def test_an_id_of_another_sender_is_a_conflict(http: httpx.Client, client: redis.Redis) -> None:
    submit(client, Submission(task="shop.report", queue="default", priority=3, id="x-1"), DeliverySettings())
    answer = http.post("/v1/tasks", json={"name": "shop.report", "args": [1], "id": "x-1"})
    assert answer.status_code == 409


def test_an_idempotency_key_returns_the_first_answer_again(http: httpx.Client, client: redis.Redis) -> None:
    headers = {"Idempotency-Key": "order 17"}
    body = {"name": "shop.report", "kwargs": {"year": 1, "country": "FR"}, "countdown": 60}
    first = http.post("/v1/tasks", json=body, headers=headers)
    client.hset(keys.RUN + first.json()["id"], "state", "running")
    again = http.post("/v1/tasks", content=json.dumps(body, indent=3), headers={**headers, **JSON})
    assert (again.status_code, again.json(), again.headers["location"]) == (
        202,
        first.json(),
        first.headers["location"],
    )
    assert client.zcard(keys.DELAYED) == 1
    other = http.post("/v1/tasks", json={**body, "countdown": 61}, headers=headers)
    assert other.status_code == 422
    assert other.json()["errors"] == [
        {"in": "header", "path": "/Idempotency-Key", "detail": "this key was used for another request"}
    ]


def test_an_unknown_run_is_not_found(http: httpx.Client) -> None:
    for id in ("nobody", "x" * 300, "%00", "%ff", "a%20b"):
        answer = http.get(f"/v1/tasks/{id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_request_id_is_taken_or_made(http: httpx.Client) -> None:
    assert http.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    for bad in ("x" * 200, "a b", "<script>"):
        assert http.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"] != bad
