"""Dead letters over HTTP. What the scripts do is in ``tests/integration/test_dead_letters.py``."""

import base64
import json
from typing import Any

import httpx
import pytest
import redis

from celeriac import keys
from celeriac.leader import Leader

LIST = keys.queue_list("default", 3)


def dead(http: httpx.Client, client: redis.Redis, leader: Leader, name: str, *args: object) -> str:
    """Submit a run and let its worker be lost where no loss is allowed."""
    answer = http.post("/v1/tasks", json={"name": name, "args": args})
    assert answer.status_code == 202, answer.text
    message: Any = client.rpop(LIST)
    client.hset(keys.UNACKED + "default", f"owner|1|{LIST}", message)
    client.zadd(keys.LEASES, {"default/owner": 1})
    assert leader.call("reclaim", [keys.LEASES, keys.LEASES_WATCHED], [10, 0, 1000, 60, 0, 0])[1] == 1
    id: str = answer.json()["id"]
    return id


def waiting(client: redis.Redis) -> Any:
    """Arguments of the one message that waits."""
    (text,) = client.lrange(LIST, 0, -1)
    return json.loads(base64.b64decode(json.loads(text)["body"]))[:2]


def test_pages_and_filters(http: httpx.Client, client: redis.Redis, leader: Leader) -> None:
    first, second = dead(http, client, leader, "shop.report", 1), dead(http, client, leader, "shop.anything")
    page = http.get("/v1/dead-letters", params={"limit": 1}).json()
    assert [letter["id"] for letter in page["items"]] == [second]
    rest = http.get("/v1/dead-letters", params={"limit": 1, "after": page["next"]}).json()
    assert [letter["id"] for letter in rest["items"]] == [first]
    assert rest["next"] is None
    named = http.get("/v1/dead-letters", params={"name": "shop.report", "reason": "max_deliveries"}).json()
    assert [(letter["id"], letter["queue"]) for letter in named["items"]] == [(first, "default")]


@pytest.mark.parametrize(
    ("query", "path"), [({"limit": 0}, "/limit"), ({"reason": "bad luck"}, "/reason"), ({"after": "x"}, "/after")]
)
def test_a_bad_query_is_422(http: httpx.Client, query: dict[str, Any], path: str) -> None:
    answer = http.get("/v1/dead-letters", params=query)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["path"], error["in"]) == (422, path, "query")


def test_one_is_shown_and_replayed_as_it_was(http: httpx.Client, client: redis.Redis, leader: Leader) -> None:
    id = dead(http, client, leader, "shop.plan", "2026-01-02T03:04:05Z")
    shown = http.get(f"/v1/dead-letters/{id}").json()
    assert (shown["args"], shown["kwargs"], shown["reason"]) == (["2026-01-02T03:04:05+00:00"], {}, "max_deliveries")
    assert shown["headers"]["task"] == "shop.plan"
    assert http.post(f"/v1/dead-letters/{id}/replay").json() == {"id": id}
    assert waiting(client)[0] == [{"__type__": "datetime", "__value__": "2026-01-02T03:04:05+00:00"}]
    assert http.get(f"/v1/tasks/{id}").json()["state"] == "queued"
    assert http.get(f"/v1/dead-letters/{id}").status_code == 404


def test_edited_arguments_are_checked_and_typed(http: httpx.Client, client: redis.Redis, leader: Leader) -> None:
    id = dead(http, client, leader, "shop.plan", "2026-01-02T03:04:05Z")
    bad = http.post(f"/v1/dead-letters/{id}/replay", json={"args": ["soon"]})
    assert (bad.status_code, bad.json()["errors"][0]["path"]) == (422, "/args/0")
    unknown = http.post(f"/v1/dead-letters/{id}/replay", json={"kwargs": {"year": 1}})
    assert (unknown.status_code, unknown.json()["errors"][0]["path"]) == (422, "/kwargs/year")
    assert client.llen(LIST) == 0
    assert http.post(f"/v1/dead-letters/{id}/replay", json={"args": ["2027-01-01T00:00:00Z"]}).status_code == 200
    assert waiting(client)[0] == [{"__type__": "datetime", "__value__": "2027-01-01T00:00:00+00:00"}]


def test_removal_by_id_and_by_filter(http: httpx.Client, client: redis.Redis, leader: Leader) -> None:
    one, two, three = (dead(http, client, leader, "shop.report", n) for n in range(3))
    assert http.delete(f"/v1/dead-letters/{one}").status_code == 204
    assert http.delete(f"/v1/dead-letters/{one}").status_code == 404
    assert http.post("/v1/dead-letters/purge", json={"name": "shop.plan"}).json() == {"removed": 0}
    assert http.post("/v1/dead-letters/purge", json={}).json() == {"removed": 2}
    assert {http.get(f"/v1/tasks/{id}").json()["state"] for id in (one, two, three)} == {"dead"}
