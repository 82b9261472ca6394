"""What the probes say as a worker goes through its life."""

import re
import signal
import time
from pathlib import Path

import pytest

from celeriac import keys
from celeriac.testing import Server, until

from .conftest import Send, StartWorker, result


def test_ready_while_it_consumes_and_alive_while_redis_is_away(
    start_worker: StartWorker, send: Send, server: Server
) -> None:
    worker = start_worker(server).wait_consuming()
    assert worker.get("/healthz").status_code == 200

    server.kill()
    until(lambda: worker.get("/readyz").status_code == 503)
    assert "reconnecting" in worker.get("/readyz").text
    assert worker.get("/healthz").status_code == 200

    server.start()
    until(lambda: worker.get("/readyz").status_code == 200, 60)
    id = send("add", 1, 2)
    until(lambda: result(server, id))
    assert worker.end() == 0


@pytest.mark.parametrize("pool", ["prefork", "asyncio"])
def test_the_main_loop_never_waits_for_redis(
    start_worker: StartWorker, send: Send, server: Server, pool: str
) -> None:
    """Celery's heartbeat is tried again in the main loop until Redis is back."""
    worker = start_worker(server, worker_pool=pool, worker_tick_seconds="3").wait_consuming()
    id = send("nap", 2.0)
    until(lambda: worker.metric("celery_active_tasks") == 1)
    server.kill()
    ends = time.monotonic() + 12
    until(lambda: worker.get("/healthz").status_code != 200 or time.monotonic() > ends)
    assert worker.get("/healthz").status_code == 200
    assert worker.metric("celery_active_tasks") == 0
    server.start()
    until(lambda: result(server, id))


def test_a_long_search_for_redis_is_given_up(start_worker: StartWorker, server: Server) -> None:
    worker = start_worker(server, worker_reconnect_seconds="2").wait_consuming()
    server.kill()
    until(lambda: worker.get("/healthz").status_code == 503, 30)
    assert "reconnecting for" in worker.get("/healthz").text


def test_a_blocked_main_loop_is_not_alive(
    start_worker: StartWorker, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ERRANDS_BLOCK_SECONDS", "6")
    worker = start_worker(server, worker_tick_seconds="2").wait_consuming()
    (tmp_path / "worker-0" / "block").touch()
    until(lambda: worker.get("/healthz").status_code == 503)
    assert re.search(r"main loop has been silent for \d+ s", worker.get("/healthz").text)
    until(lambda: "errands.py" in worker.log)  # the stacks show where
    until(lambda: worker.get("/healthz").status_code == 200)


def test_a_busy_solo_worker_is_alive(start_worker: StartWorker, send: Send, server: Server) -> None:
    worker = start_worker(server, worker_pool="solo", worker_tick_seconds="2").wait_consuming()
    id = send("nap", 5.0)
    until(lambda: worker.metric("celery_active_tasks") == 1)
    while not result(server, id):
        assert worker.get("/healthz").status_code == 200


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo", "gevent", "asyncio"])
def test_draining_is_not_ready_and_ends_with_the_run(
    start_worker: StartWorker, send: Send, server: Server, pool: str
) -> None:
    worker = start_worker(server, worker_pool=pool).wait_consuming()
    id = send("nap", 3.0)
    until(lambda: worker.metric("celery_active_tasks") == 1)
    worker.signal(signal.SIGTERM)
    until(lambda: "draining" in worker.get("/readyz").text)
    assert worker.get("/healthz").status_code == 200
    assert worker.process.wait(30) == 0
    assert b"rested" in result(server, id)


def test_it_reports_itself_and_takes_it_back(start_worker: StartWorker, server: Server) -> None:
    worker = start_worker(server, worker_group="io").wait_consuming()
    with server.client() as client:
        until(lambda: client.zcard(keys.WORKERS) == 1)
        (name,) = client.zrange(keys.WORKERS, 0, -1)
        until(lambda: b'"phase": "ready"' in (client.get(keys.WORKER + name.decode()) or b""), 30)
        until(lambda: client.hexists(keys.CATALOG, "errands.add"))
        assert worker.end() == 0
        assert client.zcard(keys.WORKERS) == 0
