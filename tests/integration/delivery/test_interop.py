"""Stock Celery and Celeriac on the same Redis: producers, workers, remote control, canvas, priorities."""

from pathlib import Path

import pytest
import redis
from celery import Celery, chord, group
from celery.result import AsyncResult

from celeriac import keys
from celeriac.states import State
from celeriac.testing import Server, Worker, until

from .conftest import APPS, StartWorker, Submit, ended, held, record, words


@pytest.fixture
def stock(shared_server: Server) -> Celery:
    """A stock Celery application on the same Redis."""
    app = Celery("stock", broker=shared_server.url, backend=shared_server.url)
    app.conf.task_default_queue = "default"
    return app


def test_a_stock_producer_gets_its_result_and_a_record(
    client: redis.Redis, start_worker: StartWorker, stock: Celery
) -> None:
    start_worker("prefork")
    result = stock.send_task("delivery_app.add", [1, 2], countdown=0.1, priority=6)
    assert result.get(timeout=30) == 3
    found = record(client, result.id)
    assert (found.state, found.queue, found.priority, found.deliveries) == (State.SUCCEEDED, "default", 6, 1)


def test_a_stock_worker_runs_what_celeriac_submits(
    client: redis.Redis, shared_server: Server, send: Submit, stock: Celery, tmp_path: Path
) -> None:
    environment = {"CELERIAC_REDIS_URL": shared_server.url}
    with Worker(tmp_path, "stock_app", path=APPS, options=("-Q", "default"), environment=environment):
        run = send("add", 2, 3)
        assert AsyncResult(run, app=stock).get(timeout=30) == 5


def test_the_first_priority_goes_first(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    runs = {priority: send("nap", 0, priority=priority) for priority in (9, 6, 3, 0)}
    start_worker()
    for run in runs.values():
        ended(client, run)
    assert words(client, "started") == [runs[0], runs[3], runs[6], runs[9]]


def test_queues_of_one_worker_are_served_in_turn(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    busy = [send("nap", 0) for _ in range(50)]
    quiet = send("nap", 0, queue="io")
    start_worker(queues="default,io")
    for run in (*busy, quiet):
        ended(client, run)
    assert words(client, "started").index(quiet) < 25


def test_remote_control_reaches_workers(client: redis.Redis, start_worker: StartWorker, stock: Celery) -> None:
    worker = start_worker("prefork")
    until(lambda: stock.control.ping(timeout=1) == [{worker.name: {"ok": "pong"}}], 30)
    inspector = stock.control.inspect([worker.name], timeout=5)
    assert "delivery_app.add" in (inspector.registered() or {})[worker.name]
    assert [queue["name"] for queue in (inspector.active_queues() or {})[worker.name]] == ["default"]


def test_remote_control_from_an_application_on_this_transport(
    client: redis.Redis, shared_server: Server, start_worker: StartWorker
) -> None:
    worker = start_worker("prefork")
    ours = Celery("ours", broker=shared_server.url)
    ours.conf.broker_transport = "celeriac.transport:RedisTransport"
    until(lambda: ours.control.ping(timeout=1) == [{worker.name: {"ok": "pong"}}], 30)
    assert client.zcard(keys.LEASES) == 0


def test_a_revoked_id_does_not_run(
    client: redis.Redis, start_worker: StartWorker, send: Submit, stock: Celery
) -> None:
    worker = start_worker("prefork")
    until(lambda: stock.control.ping(timeout=1), 30)
    stock.control.revoke("never", reply=True, timeout=5, destination=[worker.name])
    run = send("add", 1, 1, id="never")
    assert ended(client, run).state is State.CANCELLED
    assert held(client) == 0


def test_a_rate_limit_holds(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker("threads", concurrency=4, environment={"CELERIAC_WORKER_RATE_LIMITS": "true"})
    for run in [send("rationed") for _ in range(4)]:
        ended(client, run)
    times = [float(word) for word in words(client, "rationed")]
    assert times[-1] - times[0] > 1.2


def test_a_worker_without_prefetch_holds_what_it_runs(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker("prefork", concurrency=2, options=("--disable-prefetch",))
    runs = [send("nap", 1) for _ in range(5)]
    until(lambda: client.llen("test:started") == 2)
    assert held(client) == 2
    assert client.llen(keys.queue_list("default", 3)) == 3
    for run in runs:
        assert ended(client, run).state is State.SUCCEEDED


def test_chains_groups_and_chords_end(client: redis.Redis, start_worker: StartWorker, stock: Celery) -> None:
    start_worker("prefork", concurrency=2)
    add = stock.signature("delivery_app.add")
    total = stock.signature("delivery_app.total")
    chain = (add.clone((1, 1)) | add.clone((10,)) | add.clone((100,))).apply_async()
    assert chain.get(timeout=60) == 112
    assert isinstance(chain.parent, AsyncResult)
    assert record(client, chain.id).parent == chain.parent.id
    assert group(add.clone((n, n)) for n in range(5)).apply_async().get(timeout=60) == [0, 2, 4, 6, 8]
    assert chord([add.clone((n, n)) for n in range(5)], total).apply_async().get(timeout=60) == 20
    until(lambda: not held(client))  # the last part is told of after the body it sent


def test_a_run_replaced_by_a_chain_ends_with_it(
    client: redis.Redis, start_worker: StartWorker, send: Submit, stock: Celery
) -> None:
    start_worker("prefork")
    run = send("unfold", 5)
    assert AsyncResult(run, app=stock).get(timeout=60) == 16
    assert ended(client, run).state is State.SUCCEEDED
    assert held(client) == 0


def test_a_run_replaced_by_a_chain_that_fails_has_failed(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker("prefork")
    found = ended(client, send("unfold_badly"))
    assert found.state is State.FAILED
    assert found.error is not None
    assert "halfway" in found.error["message"]
