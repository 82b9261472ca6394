"""What cannot run ends as a dead letter that says why, and what comes behind it moves on."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
import redis

from celeriac import keys, message
from celeriac.leader import Leader
from celeriac.states import State
from celeriac.testing import until

from .conftest import StartWorker, Submit, ended, held, record


def letter(client: redis.Redis, run: str, deadline: float = 60) -> dict[str, str]:
    until(lambda: client.zscore(keys.DEAD, run) is not None, deadline)
    fields: dict[bytes, bytes] = client.hgetall(keys.DEAD_LETTER + run)  # type: ignore[assignment]
    return {name.decode(): value.decode() for name, value in fields.items()}


def stock_message(id: str, **changes: Any) -> dict[str, Any]:
    """Return a message as a stock producer sends it, with top-level *changes*."""
    text = message.encode(id=id, task="delivery_app.add", args=[1, 2], kwargs={}, queue="default", priority=0)
    return {**json.loads(text), **changes}


def test_a_task_that_kills_its_process_dies_after_its_deliveries(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker("prefork", environment={"CELERIAC_DELIVERY_MAX_DELIVERIES": "3"})
    run = send("die")
    behind = [send("add", 1, number) for number in range(5)]
    found = letter(client, run)
    assert found["reason"] == "max_deliveries"
    assert "WorkerLostError" in found["error"]
    assert client.llen("test:died") == 3
    assert record(client, run).state is State.DEAD
    for other in behind:
        assert ended(client, other).state is State.SUCCEEDED
    assert held(client) == 0


def test_a_hard_limit_that_requeues_ends_too(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker("prefork", environment={"CELERIAC_DELIVERY_MAX_DELIVERIES": "2", "TEST_ACKS_ON_TIMEOUT": "0"})
    run = send("overrun")
    found = letter(client, run)
    assert found["reason"] == "time_limit"
    assert "TimeLimitExceeded" in found["error"]
    assert client.llen("test:overran") == 2


def test_a_hard_limit_is_a_failure(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker("prefork")
    run = send("overrun")
    found = ended(client, run)
    assert found.state is State.FAILED
    assert found.error is not None
    assert found.error["type"] == "TimeLimitExceeded"
    assert client.llen("test:overran") == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": base64.b64encode(b"{").decode()}, "malformed"),
        ({"content-type": "application/x-python-serialize"}, "malformed"),
        (
            {"body": base64.b64encode(b'[[{"__type__": "uuid", "__value__": "x"}, 1], {}, {}]').decode()},
            "malformed",
        ),
    ],
)
def test_a_message_that_cannot_be_read_is_kept(
    changes: dict[str, Any], reason: str, client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    sent = json.dumps(stock_message("bad-1", **changes))
    client.lpush("default", sent)
    start_worker()
    found = letter(client, "bad-1")
    assert (found["reason"], found["message"]) == (reason, sent)
    assert record(client, "bad-1").state is State.DEAD
    assert ended(client, send("add", 1, 1)).state is State.SUCCEEDED
    assert held(client) == 0


def test_an_unknown_task_is_kept(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker()
    run = send("no_such_task")
    assert letter(client, run)["reason"] == "unknown_task"
    assert held(client) == 0


def test_what_is_no_message_is_kept_under_its_hash(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    client.lpush("default", b"\xff\x00 no json", b'{"headers": {}}')
    start_worker()
    until(lambda: client.zcard(keys.DEAD) == 2)
    assert ended(client, send("add", 1, 1)).state is State.SUCCEEDED
    assert held(client) == 0


@pytest.mark.timeout(300)
def test_what_a_poison_takes_down_with_its_worker_is_not_blamed(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    """A solo worker dies whole, with what it had prefetched; only the run that killed it becomes a dead letter."""
    poison = send("die")
    behind = [send("add", 1, number) for number in range(3)]
    leader = Leader(client, lease_seconds=600)
    leader.attempt()

    def reclaimed() -> bool:
        leader.call("reclaim", [keys.LEASES, keys.LEASES_WATCHED], [500, 2, 100, 600, 0, 0])
        return not held(client)

    def dies() -> None:
        with suppress(RuntimeError):  # it may die before it was seen to be ready
            start_worker("solo", environment={"CELERIAC_DELIVERY_LEASE_SECONDS": "1"})
        until(lambda: held(client) > 1, 60)
        until(reclaimed, 60)

    dies()
    dies()
    assert client.llen("test:died") == 2
    assert letter(client, poison)["reason"] == "max_deliveries"
    assert [record(client, run).deliveries for run in behind] == [0] * 3
    start_worker("solo")
    assert {ended(client, run).state for run in behind} == {State.SUCCEEDED}
