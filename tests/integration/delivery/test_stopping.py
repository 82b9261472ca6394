"""A worker that is told to stop gives back what it has not started, and what it cannot end in time."""

import signal

import pytest
import redis

from celeriac import keys
from celeriac.states import State
from celeriac.testing import until

from .conftest import StartWorker, Submit, ended, held, record, words

POOLS = ["solo", "prefork", "threads", "gevent"]


@pytest.mark.parametrize("pool", POOLS)
def test_what_has_not_started_goes_back_in_order_and_uncounted(
    pool: str, client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    worker = start_worker(pool, concurrency=2)
    runs = [send("nap", 3) for _ in range(8)]
    until(lambda: client.llen("test:started") >= 1)
    assert worker.stop() == 0
    begun = words(client, "started")
    assert all(record(client, run).state is State.SUCCEEDED for run in begun)
    waiting = [run for run in runs if run not in begun]
    assert waiting
    assert {record(client, run).deliveries for run in waiting} == {0}
    assert held(client) == 0
    assert client.zcard(keys.LEASES) == 0
    start_worker(pool, concurrency=2)
    for run in runs:
        assert ended(client, run).state is State.SUCCEEDED
    order = words(client, "started")
    assert sorted(order) == sorted(runs)
    assert order[:2] == runs[:2] or pool != "solo"


def test_a_cold_stop_gives_back_what_runs(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    worker = start_worker("prefork")
    run = send("nap", 60)
    until(lambda: client.llen("test:started") == 1)
    worker.signal(signal.SIGQUIT)
    until(lambda: not worker.running, 30)
    until(lambda: record(client, run).state is State.REQUEUED)
    assert record(client, run).deliveries == 0
    assert held(client) == 0
