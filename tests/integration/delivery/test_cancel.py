"""Cancel is a fact: it holds when no worker is up, when one has the run, and while it runs."""

from pathlib import Path
from typing import Any

import pytest
import redis

from celeriac import keys, scripts
from celeriac.states import State
from celeriac.testing import until

from .conftest import StartWorker, Submit, ended, held, record

POOLS = [("solo", 1), ("prefork", 2), ("threads", 2)]


def cancel(client: redis.Redis, run: str, *, hard: bool = False) -> str:
    """Cancel as the API does, and return the outcome."""
    ((outcome, _),) = scripts.run(client, "cancel", [], ["by a test", int(hard), 60, run])
    return str(outcome, "ascii")


def started(client: redis.Redis) -> list[str]:
    found: list[Any] = client.lrange("test:started", 0, -1)
    return [run.decode() for run in found]


def wait_started(client: redis.Redis, run: str) -> None:
    until(lambda: run in started(client), 60)
    until(lambda: record(client, run).state is State.RUNNING, 60)


@pytest.mark.parametrize(("pool", "concurrency"), POOLS)
def test_before_any_worker_is_up(
    client: redis.Redis, start_worker: StartWorker, send: Submit, pool: str, concurrency: int
) -> None:
    """Must show 5: the task never runs, and the run behind it does."""
    cancelled = [send("nap", 0) for _ in range(3)]
    after = send("nap", 0)
    assert [cancel(client, run) for run in cancelled] == ["cancelled"] * 3
    start_worker(pool, concurrency=concurrency)
    assert ended(client, after).state is State.SUCCEEDED
    until(lambda: client.llen(keys.queue_list("default", 3)) == 0 and held(client) == 0)
    assert started(client) == [after]
    assert {record(client, run).state for run in cancelled} == {State.CANCELLED}
    until(lambda: all(client.ttl(keys.RUN + run) > 0 for run in cancelled))


def test_one_that_waits_in_the_worker_never_starts(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker("threads", concurrency=1)
    first = send("report")
    until(lambda: client.llen("test:reported"), 60)
    waits = send("nap", 0)
    until(lambda: record(client, waits).owner is not None)
    assert cancel(client, waits) == "requested"
    assert ended(client, waits, 25).state is State.CANCELLED
    client.rpush("test:go", 1)
    assert ended(client, first).state is State.SUCCEEDED
    assert started(client) == []


def test_one_that_was_cancelled_while_the_channel_was_cut(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    """What is published to nobody is found in the record once the worker listens again."""
    start_worker("threads", concurrency=1)
    first = send("report")
    until(lambda: client.llen("test:reported"), 60)
    waits = send("nap", 0)
    until(lambda: record(client, waits).owner is not None)
    until(lambda: client.pubsub_numsub(keys.CANCELS + "default")[0][1] == 1)
    client.client_kill_filter(_type="pubsub")
    until(lambda: client.pubsub_numsub(keys.CANCELS + "default")[0][1] == 0)
    assert cancel(client, waits) == "requested"
    assert ended(client, waits, 25).state is State.CANCELLED
    client.rpush("test:go", 1)
    assert ended(client, first).state is State.SUCCEEDED
    assert started(client) == []


@pytest.mark.parametrize(("pool", "concurrency"), POOLS)
def test_a_task_that_asks_stops(
    client: redis.Redis, start_worker: StartWorker, send: Submit, pool: str, concurrency: int
) -> None:
    start_worker(pool, concurrency=concurrency)
    run = send("stoppable", 60)
    wait_started(client, run)
    assert cancel(client, run) == "requested"
    assert record(client, run).state is State.RUNNING, "requested is not cancelled"
    found = ended(client, run)
    assert (found.state, found.reason) == (
        State.CANCELLED,
        "its task stopped when it heard of its cancellation",
    )
    assert client.lrange("test:stopped", 0, -1) == [run.encode()]
    assert b"REVOKED" in (client.get(keys.RESULT + run) or b"")
    assert held(client) == 0


def test_one_that_does_not_ask_runs_to_its_end(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker("threads", concurrency=1)
    run = send("nap", 2)
    wait_started(client, run)
    assert cancel(client, run) == "requested"
    assert ended(client, run).state is State.SUCCEEDED


def test_termination_kills_it_and_the_worker_goes_on(
    client: redis.Redis, start_worker: StartWorker, send: Submit, tmp_path: Path
) -> None:
    worker = start_worker("prefork", concurrency=1)
    run = send("nap", 60)
    wait_started(client, run)
    assert cancel(client, run, hard=True) == "requested"
    assert ended(client, run).state is State.CANCELLED
    after = send("nap", 0)
    assert ended(client, after).state is State.SUCCEEDED
    assert worker.running
    assert client.lrange("test:ended", 0, -1) == [after.encode()]
