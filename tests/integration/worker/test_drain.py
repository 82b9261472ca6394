"""A run that outlasts the drain goes to another worker, and the worker ends in time, whatever its pool."""

import json
import signal
import time
from pathlib import Path

import pytest

from celeriac.states import State
from celeriac.testing import Server, until

from .conftest import Send, StartWorker, record, result


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo", "gevent", "asyncio"])
def test_what_outlasts_the_drain_is_given_back(
    start_worker: StartWorker, send: Send, server: Server, tmp_path: Path, pool: str
) -> None:
    first = start_worker(server, worker_pool=pool, worker_drain_seconds="1").wait_consuming()
    id = send("linger", str(tmp_path / "mark"), 90.0)
    until((tmp_path / "mark").exists)
    told = time.monotonic()
    first.signal(signal.SIGTERM)
    assert first.process.wait(60) == 0, first.log
    assert time.monotonic() - told < 45
    with server.client() as client:
        assert record(client, id).state is State.REQUEUED
        start_worker(server, worker_pool=pool).wait_consuming()
        until(lambda: result(server, id), 30)
        assert json.loads(result(server, id))["result"] == "done by another"
        assert record(client, id).deliveries <= 2
