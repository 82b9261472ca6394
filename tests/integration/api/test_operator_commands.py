"""``celeriac cancel`` and ``celeriac dead-letters`` as a person runs them."""

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
import redis

from celeriac import keys
from celeriac.leader import Leader

from .conftest import ApiProcess

LIST = keys.queue_list("default", 3)


@pytest.fixture
def celeriac(shared_api: ApiProcess) -> Any:
    """Runs the command against the shared API."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "celeriac_cli.main", *words, "--api", shared_api.url],
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def submitted(http: httpx.Client, **body: object) -> str:
    id: str = http.post("/v1/tasks", json={"name": "shop.report", "kwargs": {"year": 2026}, **body}).json()["id"]
    return id


def dead(http: httpx.Client, client: redis.Redis) -> str:
    id = submitted(http)
    message: Any = client.rpop(LIST)
    client.hset(keys.UNACKED + "default", f"owner|1|{LIST}", message)
    client.zadd(keys.LEASES, {"default/owner": 1})
    leader = Leader(client, lease_seconds=60)
    leader.attempt()
    assert leader.call("reclaim", [keys.LEASES, keys.LEASES_WATCHED], [10, 0, 1000, 60, 0, 0])[1] == 1
    leader.resign()
    return id


def state(http: httpx.Client, id: str) -> str:
    found: str = http.get(f"/v1/tasks/{id}").json()["state"]
    return found


def test_cancel_by_id_and_by_filter(http: httpx.Client, celeriac: Any) -> None:
    one, two = submitted(http), submitted(http, queue="io")
    done = celeriac("cancel", one)
    assert (done.returncode, done.stdout) == (0, f"{one} cancelled\n"), done.stderr
    assert celeriac("cancel", "--queue", "io").stdout == "1 cancelled, 0 asked to stop\n"
    assert (state(http, one), state(http, two)) == ("cancelled", "cancelled")


@pytest.mark.parametrize("words", [[], ["some-id", "--queue", "io"]])
def test_cancel_wants_ids_or_a_filter(http: httpx.Client, celeriac: Any, words: list[str]) -> None:
    done = celeriac("cancel", *words)
    assert done.returncode == 2
    assert "--older-than" in done.stderr


def test_an_unknown_id_is_said(http: httpx.Client, celeriac: Any) -> None:
    done = celeriac("cancel", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no run 'nobody'" in done.stderr


def test_a_dead_letter_is_listed_shown_and_replayed(http: httpx.Client, client: redis.Redis, celeriac: Any) -> None:
    id = dead(http, client)
    assert [letter["id"] for letter in json.loads(celeriac("dead-letters", "list", "--json").stdout)] == [id]
    (line,) = celeriac("dead-letters", "list").stdout.splitlines()
    assert line.split("\t")[1:4] == [id, "shop.report", "max_deliveries"]
    assert json.loads(celeriac("dead-letters", "show", id).stdout)["kwargs"] == {"year": 2026}
    refused = celeriac("dead-letters", "replay", id, "year=soon")
    assert (refused.returncode, "/kwargs/year" in refused.stderr) == (1, True)
    done = celeriac("dead-letters", "replay", id, "limit=3")
    assert (done.returncode, done.stdout) == (0, f"{id}\n"), done.stderr
    assert state(http, id) == "queued"
    assert b"'limit': 3" in client.lrange(LIST, 0, -1)[0]
    assert celeriac("dead-letters", "list").stdout == ""


def test_removal(http: httpx.Client, client: redis.Redis, celeriac: Any) -> None:
    one, _ = dead(http, client), dead(http, client)
    assert celeriac("dead-letters", "delete", one).returncode == 0
    assert celeriac("dead-letters", "purge").returncode == 2
    assert celeriac("dead-letters", "purge", "--all").stdout == "1 removed\n"
    assert client.zcard(keys.DEAD) == 0
