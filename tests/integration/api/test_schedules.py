"""``/v1/schedules`` through a real API process."""

from typing import Any

import httpx
import pytest
import redis

from celeriac import keys

WHEN = {"kind": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin"}
BODY = {"id": "nightly", "task": "shop.report", "kwargs": {"year": 2026}, "when": WHEN}
DEFINITION = {name: value for name, value in BODY.items() if name != "id"}


def made(http: httpx.Client, **fields: Any) -> httpx.Response:
    answer = http.post("/v1/schedules", json={**BODY, **fields})
    assert answer.status_code == 201, answer.text
    return answer


def test_made_shown_listed_and_removed(http: httpx.Client) -> None:
    answer = made(http, description="the books")
    assert answer.headers["location"] == "/v1/schedules/nightly"
    assert answer.headers["etag"] == '"1"'
    shown = http.get("/v1/schedules/nightly").json()
    assert shown == answer.json()
    assert shown["definition"]["description"] == "the books"
    assert shown["next_fire"].endswith(("00:30:00Z", "01:30:00Z", "01:00:00Z"))
    assert [item["id"] for item in http.get("/v1/schedules").json()["items"]] == ["nightly"]
    assert http.delete("/v1/schedules/nightly", headers={"If-Match": '"1"'}).status_code == 204
    assert http.get("/v1/schedules/nightly").status_code == 404
    assert http.delete("/v1/schedules/nightly").status_code == 404


def test_pages(http: httpx.Client) -> None:
    for n in range(5):
        made(http, id=f"s {n}")
    first = http.get("/v1/schedules", params={"limit": 3}).json()
    second = http.get("/v1/schedules", params={"limit": 3, "after": first["next"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [f"s {n}" for n in range(5)]
    assert second["next"] is None


def test_versions(http: httpx.Client) -> None:
    made(http)
    assert http.post("/v1/schedules", json=BODY).status_code == 409
    put = http.put("/v1/schedules/nightly", json={**DEFINITION, "priority": 0}, headers={"If-Match": '"1"'})
    assert (put.status_code, put.headers["etag"]) == (200, '"2"')
    stale = http.put("/v1/schedules/nightly", json=DEFINITION, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed-since")
    assert http.delete("/v1/schedules/nightly", headers={"If-Match": '"1"'}).status_code == 412
    assert http.put("/v1/schedules/nightly", json=DEFINITION, headers={"If-None-Match": "*"}).status_code == 412
    assert http.put("/v1/schedules/other", json=DEFINITION, headers={"If-None-Match": "*"}).status_code == 200
    wrong = http.put("/v1/schedules/nightly", json=DEFINITION, headers={"If-Match": "latest"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["in"] == "header"


def test_what_get_shows_put_takes(http: httpx.Client) -> None:
    definition = made(http).json()["definition"]
    assert http.put("/v1/schedules/nightly", json=definition).headers["etag"] == '"1"'


def test_pause_and_resume(http: httpx.Client) -> None:
    made(http)
    paused = http.post("/v1/schedules/nightly/pause", json={"reason": "stocktaking"}).json()
    assert paused["paused"]["reason"] == "stocktaking"
    assert paused["next_fire"] is None
    assert http.post("/v1/schedules/nightly/pause", json={}).status_code == 422
    assert http.post("/v1/schedules/nightly/pause", json={"reason": ""}).status_code == 422
    resumed = http.post("/v1/schedules/nightly/resume", json={"catch_up": "none"}).json()
    assert resumed["paused"] is None
    assert resumed["next_fire"] is not None
    assert http.post("/v1/schedules/none/resume", json={}).status_code == 404


def test_run_now(http: httpx.Client, client: redis.Redis) -> None:
    before = made(http, overlap="skip").json()
    key = {"Idempotency-Key": "once"}
    asked = http.post("/v1/schedules/nightly/run", headers=key)
    assert asked.status_code == 202
    run = asked.json()["run"]
    assert asked.headers["location"] == f"/v1/tasks/{run}"
    assert http.post("/v1/schedules/nightly/run", headers=key).json() == {"run": run}
    assert http.get(f"/v1/tasks/{run}").json()["state"] == "queued"
    assert client.llen(keys.queue_list("default", 3)) == 1
    refused = http.post("/v1/schedules/nightly/run")
    assert refused.status_code == 409
    assert "not final" in refused.json()["detail"]
    assert http.post("/v1/schedules/nightly/run", params={"anyway": True}).status_code == 202
    after = http.get("/v1/schedules/nightly").json()
    assert after["next_fire"] == before["next_fire"]
    assert after["fires"] == 2
    history = http.get("/v1/schedules/nightly/history").json()["items"]
    assert [(item["outcome"], item["why"], item["state"]) for item in history] == [
        ("run", "asked for", "queued"), ("left out", "asked for", None), ("run", "asked for", "queued"),
    ]  # fmt: skip
    assert history[-1]["run"] == run


def test_preview_explains_clocks_put_back(http: httpx.Client) -> None:
    body = {**DEFINITION, "start": "2030-10-26T00:00:00Z", "end": "2030-10-29T00:00:00Z"}
    fires = http.post("/v1/schedules/preview", json=body).json()["fires"]
    assert [fire["local"] for fire in fires] == [
        "2030-10-26T02:30:00+02:00", "2030-10-27T02:30:00+02:00", "2030-10-28T02:30:00+01:00",
    ]  # fmt: skip
    assert [bool(fire["note"]) for fire in fires] == [False, True, False]
    made(http)
    assert len(http.get("/v1/schedules/nightly/preview", params={"count": 3}).json()["fires"]) == 3
    assert http.get("/v1/schedules").json()["items"][0]["id"] == "nightly"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"id": "a/b"}, "/id"),
    ({"id": None}, "/id"),
    ({"task": "shop.repot"}, "/task"),
    ({"task": 5}, "/task"),
    ({"kwargs": {}}, "/kwargs/year"),
    ({"kwargs": {"year": "x"}}, "/kwargs/year"),
    ({"kwargs": {"year": 1, "mouth": 2}}, "/kwargs/mouth"),
    ({"args": [1, "DE", 3], "kwargs": {}}, "/args/2"),
    ({"queue": "nowhere"}, "/queue"),
    ({"when": {"kind": "cron", "cron": "0 2 * *"}}, "/when/cron"),
    ({"when": {"kind": "crontab", "minute": 99}}, "/when/minute"),
    ({"when": {**WHEN, "timezone": "Berlin"}}, "/when/timezone"),
    ({"when": {"kind": "once", "at": "2020-01-01T00:00:00Z"}}, "/when/at"),
    ({"when": {"kind": "interval", "every_seconds": -1}}, "/when/every_seconds"),
    ({"when": {"kind": "solar", "event": "eclipse", "latitude": 0, "longitude": 0}}, "/when/event"),
    ({"when": None}, "/when"),
    ({"jitter_seconds": -1}, "/jitter_seconds"),
    ({"overlap": "perhaps"}, "/overlap"),
    ({"colour": "red"}, "/colour"),
]


@pytest.mark.parametrize(("change", "path"), BAD, ids=[f"{n}{path}" for n, (_, path) in enumerate(BAD)])
def test_every_bad_schedule_is_422_with_its_field_and_a_right_example(
    http: httpx.Client, client: redis.Redis, change: dict[str, Any], path: str
) -> None:
    answer = http.post("/v1/schedules", json={**BODY, **change})
    problem = answer.json()
    print(answer.status_code, problem["errors"][0])
    assert answer.status_code == 422
    assert problem["code"] == "invalid-schedule"
    assert problem["errors"][0]["path"] == path
    assert "; right would be, for example, " in problem["errors"][0]["detail"]
    assert client.keys("celeriac:schedule*") == []


def test_names_like_the_unknown_task_are_told(http: httpx.Client) -> None:
    answer = http.post("/v1/schedules", json={**BODY, "task": "shop.repot"})
    assert "did you mean shop.report" in answer.json()["detail"]


def test_no_object_at_all(http: httpx.Client) -> None:
    assert http.post("/v1/schedules", json=[1]).status_code == 422


def test_arguments_reach_the_task_as_values(http: httpx.Client, client: redis.Redis) -> None:
    """A datetime in JSON is text; the stored payload has it as the task is to receive it."""
    made(http, task="shop.plan", kwargs={"at": "2026-12-24T18:00:00+01:00"})
    assert b"__type__" in (client.hget(keys.SCHEDULE + "nightly", "payload") or b"")


def test_the_description_shows_what_to_send(http: httpx.Client) -> None:
    schema = http.get("/openapi.json").json()
    post = schema["paths"]["/v1/schedules"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/NewSchedule"}
    new = schema["components"]["schemas"]["NewSchedule"]
    assert {"id", "task", "when", "overlap", "catch_up"} <= new["properties"].keys()
    assert "409" in post["responses"]
