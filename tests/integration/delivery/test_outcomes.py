"""What a worker does with a run shows in its record and in the result that stock Celery reads."""

import json

import pytest
import redis
from celery import Celery
from celery.result import AsyncResult

from celeriac import keys
from celeriac.states import State
from celeriac.testing import Server, until

from .conftest import StartWorker, Submit, ended, held, record

POOLS = ["solo", "prefork", "threads", "gevent"]


@pytest.fixture
def stock(shared_server: Server) -> Celery:
    """A stock Celery application on the same Redis."""
    return Celery(broker=shared_server.url, backend=shared_server.url)


@pytest.mark.parametrize("pool", POOLS)
def test_a_run_ends_with_its_result(
    pool: str, client: redis.Redis, start_worker: StartWorker, send: Submit, stock: Celery
) -> None:
    worker = start_worker(pool, concurrency=2)
    runs = [send("add", number, 1) for number in range(30)]
    for number, run in enumerate(runs):
        found = ended(client, run)
        assert (found.state, found.deliveries, found.worker) == (State.SUCCEEDED, 1, worker.name)
        assert found.started is not None
        assert found.finished is not None
        assert found.created <= found.started <= found.finished
        assert AsyncResult(run, app=stock).get(timeout=10) == number + 1
    assert held(client) == 0
    assert worker.stop() == 0


@pytest.mark.parametrize("pool", POOLS)
def test_a_failure_says_what_happened(
    pool: str, client: redis.Redis, start_worker: StartWorker, send: Submit, stock: Celery
) -> None:
    start_worker(pool, concurrency=2)
    run = send("fail", "no such order")
    found = ended(client, run)
    assert found.state is State.FAILED
    assert found.error is not None
    assert (found.error["type"], found.error["message"]) == ("ValueError", "no such order")
    assert "delivery_app.py" in found.error["traceback"]
    with pytest.raises(ValueError, match="no such order"):
        AsyncResult(run, app=stock).get(timeout=10)


@pytest.mark.parametrize("pool", POOLS)
def test_a_retry_is_the_same_run_once_more(
    pool: str, client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker(pool, concurrency=2)
    run = send("flaky", 2, 0.1)
    found = ended(client, run)
    assert (found.state, found.retries) == (State.SUCCEEDED, 2)
    assert client.llen("test:attempts") == 3
    assert held(client) == 0


def test_a_long_retry_waits_in_redis(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker()
    run = send("flaky", 1, 600)
    until(lambda: record(client, run).state is State.RETRYING)
    waiting = record(client, run)
    assert waiting.error is not None
    assert (waiting.error["type"], waiting.error["message"]) == ("ConnectionError", "not yet")
    assert client.zscore(keys.DELAYED, run) == pytest.approx((waiting.due or 0) * 1000)
    assert client.hexists(keys.RUN + run, "message")
    assert held(client) == 0


def test_a_result_over_the_limit_is_a_failure_that_says_so(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker(environment={"CELERIAC_RESULT_MAX_BYTES": "2048"})
    run = send("bulky", 4096)
    found = ended(client, run)
    assert found.state is State.FAILED
    assert found.error is not None
    assert "CELERIAC_RESULT_MAX_BYTES" in found.error["message"]


@pytest.mark.parametrize("pool", POOLS)
def test_out_of_memory_ends_the_run_alone(
    pool: str, client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    worker = start_worker(pool, concurrency=2)
    run, after = send("exhaust"), send("add", 1, 1)
    assert ended(client, run).state is State.DEAD
    assert client.hmget(keys.DEAD_LETTER + run, "reason", "error") == [
        b"memory",
        b"the task ran out of memory: all gone",
    ]
    assert ended(client, after).state is State.SUCCEEDED
    assert worker.running


def test_progress_shows_while_it_runs_and_the_end_replaces_it(
    client: redis.Redis, start_worker: StartWorker, send: Submit, stock: Celery
) -> None:
    start_worker("prefork")
    run = send("report")
    until(lambda: record(client, run).progress is not None)
    assert record(client, run).progress == {"state": "HALFWAY", "meta": {"done": 1, "of": 2}}
    assert AsyncResult(run, app=stock).info == {"done": 1, "of": 2}
    client.rpush("test:go", "1")
    assert ended(client, run).state is State.SUCCEEDED
    assert AsyncResult(run, app=stock).get(timeout=10) == "done"


def test_a_run_sent_by_a_run_knows_its_parent(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker()
    parent = send("forward", 5)
    ended(client, parent)
    child = json.loads(client.get(keys.RESULT + parent))["result"]  # type: ignore[arg-type]
    found = ended(client, child)
    assert (found.state, found.parent, found.root) == (State.SUCCEEDED, parent, parent)


def test_a_replaced_run_ends_as_what_replaced_it(
    client: redis.Redis, start_worker: StartWorker, send: Submit, stock: Celery
) -> None:
    start_worker("prefork")
    run = send("become", 5)
    found = ended(client, run)
    assert (found.state, found.task) == (State.SUCCEEDED, "delivery_app.add")
    assert AsyncResult(run, app=stock).get(timeout=10) == 15
    assert held(client) == 0
