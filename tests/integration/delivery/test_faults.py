"""Workers, connections and Redis itself are lost; no run is, and none is doubled by the clock."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from celeriac import keys
from celeriac.app import create_app
from celeriac.message import encode
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit
from celeriac.testing import Server, until

from .conftest import StartLeader, StartWorker, Submit, ended, held, record, words

POOLS = ["solo", "prefork", "threads", "gevent", "asyncio"]
LEASE = {"CELERIAC_DELIVERY_LEASE_SECONDS": "3"}


def send_to(server: Server, task: str, *args: object) -> str:
    """Submit a run of the test application to *server*."""
    with server.client() as client:
        submission = Submission(task=f"delivery_app.{task}", queue="default", priority=3, args=args)
        return submit(client, submission, DeliverySettings()).id


@pytest.mark.parametrize("pool", POOLS)
def test_the_work_of_a_killed_worker_starts_again(
    pool: str,
    client: redis.Redis,
    shared_server: Server,
    start_worker: StartWorker,
    start_leader: StartLeader,
    send: Submit,
) -> None:
    start_leader(shared_server)
    lost = start_worker(pool, concurrency=2, environment=LEASE)
    runs = [send("nap", 1.5) for _ in range(6)]
    until(lambda: client.llen("test:started") >= 1)
    lost.kill()
    killed = time.monotonic()
    before = client.llen("test:started")
    start_worker(pool, concurrency=2, environment=LEASE)
    until(lambda: client.llen("test:started") > before)
    assert time.monotonic() - killed < 3 + 15  # the lease, and a new worker's start on a busy machine
    for run in runs:
        assert ended(client, run).state is State.SUCCEEDED
    assert held(client) == 0
    assert set(words(client, "ended")) == set(runs)


@pytest.mark.parametrize("pool", POOLS)
def test_a_run_longer_than_its_lease_runs_once(
    pool: str,
    client: redis.Redis,
    shared_server: Server,
    start_worker: StartWorker,
    start_leader: StartLeader,
    send: Submit,
) -> None:
    start_leader(shared_server)
    short = {"CELERIAC_DELIVERY_LEASE_SECONDS": "2"}
    for _ in range(2):
        start_worker(pool, environment=short)
    run = send("nap", 6)
    assert ended(client, run).state is State.SUCCEEDED
    assert words(client, "started") == [run]


@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_an_eta_of_thrice_the_lease_runs_once_and_waits_in_redis(
    pool: str, client: redis.Redis, shared_server: Server, start_worker: StartWorker, start_leader: StartLeader
) -> None:
    """As a stock producer sends it: the message is on the list at once."""
    start_leader(shared_server)
    for _ in range(2):
        start_worker(pool, environment={"CELERIAC_DELIVERY_LEASE_SECONDS": "2"})
    due = time.time() + 6
    text = encode(id="later", task="delivery_app.nap", args=[0], kwargs={}, queue="default", priority=0, due=due)
    client.lpush("default", text)
    until(lambda: client.zscore(keys.DELAYED, "later") is not None)
    assert record(client, "later").state is State.SCHEDULED
    assert ended(client, "later").state is State.SUCCEEDED
    assert (record(client, "later").started or 0) >= due - 0.01
    assert words(client, "started") == ["later"]


@pytest.mark.parametrize("pool", POOLS)
def test_a_cut_connection_runs_nothing_twice(
    pool: str,
    client: redis.Redis,
    shared_server: Server,
    start_worker: StartWorker,
    start_leader: StartLeader,
    send: Submit,
) -> None:
    start_leader(shared_server)
    worker = start_worker(pool, concurrency=2, environment=LEASE)
    runs = [send("nap", 1) for _ in range(8)]
    until(lambda: client.llen("test:started") >= 1)
    for _ in range(5):
        client.client_kill_filter(_type="normal", skipme=True)
        client.client_kill_filter(_type="pubsub")
        began = client.llen("test:ended")
        until(lambda began=began: client.llen("test:ended") > began or client.llen("test:ended") == len(runs))  # type: ignore[misc]
    for run in runs:
        assert ended(client, run).state is State.SUCCEEDED
    assert sorted(words(client, "started")) == sorted(runs)
    assert worker.running


@pytest.mark.parametrize("pool", POOLS)
def test_a_redis_that_dies_and_returns_loses_nothing_and_ends_no_worker(
    pool: str, server: Server, start_worker: StartWorker, start_leader: StartLeader
) -> None:
    start_leader(server)
    worker = start_worker(pool, concurrency=4, server=server)
    runs = [send_to(server, "nap", 2) for _ in range(2)]
    with server.client() as client:
        until(lambda: client.llen("test:started") >= 1)
        client.bgrewriteaof()
        until(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)
    server.kill()
    time.sleep(1.5)
    server.start()
    back = time.monotonic()
    runs.append(send_to(server, "add", 1, 1))
    with server.client() as client:
        ended(client, runs[-1])
        if pool != "solo":  # a solo worker ends the run it is at first
            assert time.monotonic() - back < 15
        for run in runs:
            assert ended(client, run).state is State.SUCCEEDED
        assert held(client) == 0
    assert worker.running


def test_refused_writes_are_waited_for(server: Server, start_worker: StartWorker) -> None:
    worker = start_worker("prefork", server=server)
    with server.client() as client:
        run = send_to(server, "rest", 1)
        until(lambda: client.llen("test:started") == 1)
        client.config_set("min-replicas-to-write", 1)
        until(lambda: worker.said("redis does not answer") > 0, 30)
        client.config_set("min-replicas-to-write", 0)
        assert ended(client, run).state is State.SUCCEEDED
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.OutOfMemoryError):
            send_to(server, "add", 1, 1)
        client.config_set("maxmemory", 0)
        assert ended(client, send_to(server, "add", 1, 1)).state is State.SUCCEEDED
    assert worker.running


def test_a_first_publish_waits_for_a_server_that_refuses_writes(server: Server) -> None:
    """It declares its queue before, and that is refused first."""
    app = create_app(Settings(redis=RedisSettings(url=server.url)), "worker")
    with server.client() as client, ThreadPoolExecutor() as threads:
        client.config_set("min-replicas-to-write", 1)
        sent = threads.submit(app.send_task, "delivery_app.add", args=(1, 1))
        until(lambda: int(client.info("errorstats").get("errorstat_NOREPLICAS", {}).get("count", 0)) > 0)
        client.config_set("min-replicas-to-write", 0)
        assert record(client, str(sent.result(30))).state is State.QUEUED


def test_scripts_are_loaded_again(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker()
    ended(client, send("add", 1, 1))
    client.script_flush()
    assert ended(client, send("add", 1, 1)).state is State.SUCCEEDED
