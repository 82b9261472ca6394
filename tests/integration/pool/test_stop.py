"""Ending in order."""

from collections import Counter
from collections.abc import Callable

from tests.integration.pool.conftest import PoolWorker, send_many

from celeriac import keys
from celeriac.testing import Server, until


def test_what_ends_in_time_ends_and_the_rest_is_given_back(start: Callable[..., PoolWorker], server: Server) -> None:
    worker = start(worker_drain_seconds="5")
    send_many(server, "counted", [3], 500)
    send_many(server, "counted", [600], 500)
    until(lambda: worker.metric("celery_active_tasks") == 1000, 60)
    assert worker.end(60) == 0
    with server.client() as client:
        states = Counter(client.hget(key, "state") for key in client.scan_iter(keys.RUN + "*", count=1000))
        print(f"SIGTERM with 1,000 in flight, 5 s to drain: exit 0, {dict(states)}")
        assert states == {b"succeeded": 500, b"requeued": 500}
        assert client.get("test:counted") == b"500"
        assert client.llen("default") == 500
        assert client.hlen(keys.UNACKED + "default") == 0
