from collections.abc import Callable
from typing import Any

import httpx
import redis

from celeriac import keys
from celeriac.catalog import Entry
from celeriac.catalog.store import publish
from celeriac.testing import Server, until

StartApi = Callable[..., Any]


def test_the_catalogue_is_listed_by_name(http: httpx.Client) -> None:
    items = http.get("/v1/catalog").json()["items"]
    assert [item["name"] for item in items] == ["shop.anything", "shop.plan", "shop.report"]


def test_an_entry_shows_the_schema_of_its_arguments(http: httpx.Client) -> None:
    entry = http.get("/v1/catalog/shop.report").json()
    assert entry["description"] == "Add up a year's orders."
    assert entry["arguments"]["required"] == ["year"]
    assert entry["arguments"]["properties"]["country"] == {"type": "string", "default": "DE"}
    assert entry["positional"] == ["year", "country"]


def test_a_task_published_a_moment_ago_can_be_submitted(http: httpx.Client, client: redis.Redis) -> None:
    new = Entry(name="shop.new", queue="io", arguments={"type": "object", "properties": {}, "required": []})
    assert http.get("/v1/catalog/shop.new").status_code == 404
    publish(client, "other", [new])
    until(lambda: http.post("/v1/tasks", json={"name": "shop.new"}).status_code == 202, 5)
    publish(client, "other", [])
    until(lambda: http.post("/v1/tasks", json={"name": "shop.new"}).status_code == 404, 5)


def test_an_entry_that_cannot_be_read_hides_no_other(http: httpx.Client, client: redis.Redis) -> None:
    broken = Entry(name="shop.broken", queue="io", arguments={"$ref": "http://127.0.0.1:9/", "properties": {}})
    publish(client, "other", [broken])
    client.hset(keys.CATALOG, "shop.odd", "{}")
    until(lambda: http.get("/v1/catalog/shop.broken").status_code == 200, 5)
    assert http.post("/v1/tasks", json={"name": "shop.report", "args": [1]}).status_code == 202
    answer = http.post("/v1/tasks", json={"name": "shop.broken"})
    assert answer.status_code == 422
    assert "cannot be used" in answer.json()["detail"]
    assert http.get("/v1/catalog/shop.odd").status_code == 404


def test_the_loss_of_all_data_is_noticed(http: httpx.Client, client: redis.Redis) -> None:
    assert len(http.get("/v1/catalog").json()["items"]) == 3
    client.flushall()
    until(lambda: http.get("/v1/catalog").json()["items"] == [], 5)


def test_a_submission_costs_one_round_trip(server: Server, start_api: StartApi, offered: list[Entry]) -> None:
    api = start_api(server.url)
    with server.client() as client, api.client() as http:
        publish(client, "default", offered)
        assert http.post("/v1/tasks", json={"name": "shop.report", "args": [1]}).status_code == 202

        def calls() -> dict[str, int]:
            stats: Any = client.info("commandstats")
            return {name: stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "get", "hgetall")}

        before = calls()
        for _ in range(50):
            assert http.post("/v1/tasks", json={"name": "shop.report", "args": [1]}).status_code == 202
        after = calls()
        assert after["evalsha"] - before["evalsha"] == 50
        assert after["hgetall"] == before["hgetall"]
        assert after["get"] - before["get"] < 25, "the catalogue's version is asked for once a second at the most"
        assert client.llen(keys.queue_list("default", 3)) == 51
