"""Redis goes away in ways that no closed connection tells of, or for long; no run is lost or runs twice for it.

What the runs leave for the test is written to another server, the shared one, so that they go on meanwhile.
"""

import time
from collections.abc import Callable, Iterator

import pytest
import redis

from celeriac import keys, scripts
from celeriac.states import State
from celeriac.testing import Link, Server, Worker, until

from .conftest import StartLeader, StartWorker, ended, held, record, words
from .test_faults import send_to

Start = Callable[..., Worker]
LEASE = {"CELERIAC_DELIVERY_LEASE_SECONDS": "3", "CELERIAC_WORKER_PREFETCH_MULTIPLIER": "1"}
KINDS = [("prefork", ""), ("solo", ""), ("asyncio", ""), ("asyncio", "_async")]
"""Pool, and which kind of task."""


@pytest.fixture
def link(server: Server) -> Iterator[Link]:
    with Link(server.port) as link:
        yield link


@pytest.fixture
def start(server: Server, shared_server: Server, start_worker: StartWorker) -> Start:
    """Starts a worker of *server* whose runs leave their words on the shared server."""

    def start(pool: str, **environment: str) -> Worker:
        return start_worker(
            pool, concurrency=2, server=server, environment={"TEST_PORT": str(shared_server.port), **environment}
        )

    return start


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("pool", "kind"), KINDS)
def test_a_link_that_swallows_everything_delays_runs_and_doubles_none(
    pool: str, kind: str, server: Server, client: redis.Redis, link: Link, start: Start
) -> None:
    worker = start(pool, CELERIAC_REDIS_URL=link.url)
    running = send_to(server, f"nap{kind}", 1)
    until(lambda: words(client, "started") == [running])
    link.cut()
    until(lambda: worker.said("redis does not answer") > 0, 30)
    until(lambda: words(client, "ended") == [running], 30)
    with server.client() as behind:
        waiting = send_to(server, "add", 1, 1)
        assert record(behind, running).finished is None, "nothing comes through"
        assert record(behind, waiting).state is State.QUEUED
        link.heal()
        healed = time.monotonic()
        assert ended(behind, waiting).state is State.SUCCEEDED
        assert time.monotonic() - healed < 20  # deadlines of the dead connections, on a busy machine
        assert ended(behind, running).state is State.SUCCEEDED
        assert held(behind) == 0
    assert words(client, "started") == [running]
    assert worker.stop() == 0


def away(server: Server, how: str) -> Callable[[], object]:
    """Take *server* away, and return what brings it back."""
    if how == "hung":
        server.hang()
        return server.resume
    with server.client() as client:
        client.bgrewriteaof()  # what was acknowledged in the last second is in the file now
        until(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)
    server.kill()
    return server.start


@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", ["hung", "killed"])
@pytest.mark.parametrize(("pool", "kind"), [("prefork", ""), ("asyncio", "_async")])
def test_an_outage_longer_than_the_lease_takes_nothing_from_live_workers(
    pool: str, kind: str, how: str, server: Server, client: redis.Redis, start: Start, start_leader: StartLeader
) -> None:
    leader = start_leader(server, delivery_lease_seconds="3")
    workers = [start(pool, **LEASE) for _ in range(2)]
    runs = [send_to(server, f"nap{kind}", 16) for _ in range(4)]
    until(lambda: len(words(client, "started")) == 4)
    back = away(server, how)
    left = time.monotonic()
    until(lambda: all(worker.said("redis does not answer") for worker in workers), 30)
    until(lambda: time.monotonic() - left > 6)  # twice the lease
    back()
    with server.client() as behind:
        for run in runs:
            assert ended(behind, run).state is State.SUCCEEDED
        assert held(behind) == 0
        assert sorted(words(client, "started")) == sorted(runs)
        assert leader.event("deliveries of lost workers were taken back") is None

        lost = send_to(server, f"nap{kind}", 60)
        until(lambda: lost in words(client, "started"))
        for worker in workers:
            worker.kill()
        until(lambda: record(behind, lost).state is State.REQUEUED, 3 + 10)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", ["hung", "killed"])
@pytest.mark.parametrize(("pool", "kind"), KINDS[:1] + KINDS[2:])
def test_progress_waits_for_no_redis(
    pool: str, kind: str, how: str, server: Server, client: redis.Redis, start: Start
) -> None:
    worker = start(pool)
    run = send_to(server, f"advance{kind}", 100)
    with server.client() as behind:
        until(lambda: behind.hexists(keys.RUN + run, "progress"))
    back = away(server, how)
    until(lambda: client.llen("test:steps") == 100, 60)  # all of them, while Redis is away
    back()
    with server.client() as behind:
        assert ended(behind, run).state is State.SUCCEEDED
        assert client.llen("test:steps") == 100
        again = send_to(server, f"advance{kind}", 300)
        until(lambda: behind.hexists(keys.RUN + again, "progress"), 30)
    assert worker.said("progress is lost") == 1


@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", ["hung", "killed"])
@pytest.mark.parametrize(("pool", "kind"), KINDS[:1] + KINDS[2:])
def test_who_asks_whether_to_stop_hears_so_when_redis_is_back(
    pool: str, kind: str, how: str, server: Server, client: redis.Redis, start: Start
) -> None:
    start(pool)
    short, long = (send_to(server, f"stoppable{kind}", seconds) for seconds in (3, 120))
    until(lambda: len(words(client, "started")) == 2)
    back = away(server, how)
    until(lambda: words(client, "ended") == [short], 60)  # while Redis is away
    back()
    with server.client() as behind:
        assert ended(behind, short).state is State.SUCCEEDED
        scripts.run(behind, "cancel", [], ["by a test", 0, 60, long])
        assert ended(behind, long).state is State.CANCELLED
    assert words(client, "stopped") == [long]
