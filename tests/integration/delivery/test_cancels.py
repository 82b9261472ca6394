"""A cancellation reaches what a worker holds."""

import time

import pytest
import redis

from celeriac import scripts
from celeriac.states import State
from celeriac.testing import until

from .conftest import StartWorker, Submit, ended, held, record, words


def cancel(client: redis.Redis, run: str, *, hard: bool) -> bytes:
    """Cancel *run* as the API does, and return what it came to."""
    ((outcome, _),) = scripts.run(client, "cancel", [], ["no longer wanted", int(hard), 3600, run])
    return bytes(outcome)


def test_a_running_run_is_terminated_when_that_is_asked(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    worker = start_worker("prefork")
    run = send("nap", 60)
    until(lambda: record(client, run).state is State.RUNNING)
    asked = time.monotonic()
    assert cancel(client, run, hard=True) == b"requested"
    assert ended(client, run).state is State.CANCELLED
    assert time.monotonic() - asked < 20
    assert ended(client, send("add", 1, 1)).state is State.SUCCEEDED
    assert worker.running
    assert held(client) == 0


def test_a_running_run_goes_on_when_it_is_only_told(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker("prefork")
    run = send("nap", 2)
    until(lambda: record(client, run).state is State.RUNNING)
    assert cancel(client, run, hard=False) == b"requested"
    found = ended(client, run)
    assert (found.state, found.cancel is not None) == (State.SUCCEEDED, True)


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent"])
def test_a_run_that_waits_in_a_worker_never_starts(
    pool: str, client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker(pool, concurrency=1)
    first, second = send("nap", 4), send("nap", 0)
    until(lambda: held(client) == 2 and client.llen("test:started") == 1)
    assert cancel(client, second, hard=False) == b"requested"
    assert ended(client, second).state is State.CANCELLED
    assert record(client, first).state is State.RUNNING  # it was not waited for
    assert ended(client, first).state is State.SUCCEEDED
    assert words(client, "started") == [first]
    assert held(client) == 0


def test_a_retry_of_a_cancelled_run_is_not_sent(client: redis.Redis, start_worker: StartWorker, send: Submit) -> None:
    start_worker("prefork")
    run = send("flaky", 5, 1.0)
    until(lambda: client.llen("test:attempts") == 1)
    cancel(client, run, hard=False)
    assert ended(client, run).state is State.CANCELLED
    assert client.llen("test:attempts") <= 2
