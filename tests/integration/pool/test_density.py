"""Thousands of coroutines in one process."""

import time
from collections.abc import Callable

from celery import Celery
from tests.integration.pool.conftest import PoolWorker, result, send, send_many

from celeriac.testing import Server, until


def test_five_thousand_waiting_tasks_at_once(start: Callable[..., PoolWorker], server: Server, app: Celery) -> None:
    worker = start(worker_concurrency="5000", worker_prefetch_multiplier="2")
    before = result(send(app, "memory"))
    started = time.monotonic()
    send_many(server, "sleep", [1], 5000)
    until(lambda: worker.ended("sleep") == 5000, 90)
    seconds = time.monotonic() - started
    after = result(send(app, "memory"))
    print(f"5000 runs of 1 s: {seconds:.2f} s; peak RSS {before / 1024:.0f} -> {after / 1024:.0f} MiB")
    assert seconds <= 60, "one after the other they take 5,000 s; bench/drills/density.py holds it to 8 s"


def test_nothing_leaks_between_a_thousand_interleaved_runs(start: Callable[..., PoolWorker], app: Celery) -> None:
    start()
    runs = [send(app, "isolated") for _ in range(1000)]
    assert [wrong for run in runs for wrong in result(run)] == []


def test_inspect_shows_true_figures(start: Callable[..., PoolWorker], server: Server, app: Celery) -> None:
    worker = start(worker_concurrency="50")
    send_many(server, "sleep", [3], 20)
    (stats,) = (app.control.inspect().stats() or {}).values()
    pool = stats["pool"]
    assert pool["max-concurrency"] == 50
    until(lambda: len(next(iter((app.control.inspect().active() or {}).values()))) == 20)
    app.control.pool_grow(25)
    until(lambda: _pool(app)["max-concurrency"] == 75)
    until(lambda: worker.ended("sleep") == 20)
    assert _pool(app)["running"] == 0


def _pool(app: Celery) -> dict[str, int]:
    (stats,) = (app.control.inspect().stats() or {}).values()
    pool: dict[str, int] = stats["pool"]
    return pool
