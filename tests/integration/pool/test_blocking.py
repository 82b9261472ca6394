"""What blocks, and what must not."""

import os
import signal
import time
from collections.abc import Callable

from celery import Celery
from tests.integration.pool.conftest import TASKS, PoolWorker, result, send

from celeriac.testing import Server, until


def test_a_blocked_loop_is_reported(start: Callable[..., PoolWorker], app: Celery) -> None:
    worker = start()
    gap = send(app, "longest_gap", 4.0)
    until(lambda: worker.metric("celery_active_tasks") == 1)
    run = send(app, "block", 2.0)
    result(run)
    report = until_line(worker, f": task {TASKS}.block[{run.id}] blocks it here")
    assert "time.sleep(seconds)" in report
    end = until_line(worker, f"blocked by task {TASKS}.block[{run.id}]")
    assert result(gap) >= 1.5
    series = "celery_event_loop_lag_seconds_bucket"
    scrape = worker.metrics()
    assert scrape[f'{series}{{le="2.5"}}'] - scrape[f'{series}{{le="1.0"}}'] >= 1
    print(report, end)


def until_line(worker: PoolWorker, text: str) -> str:
    until(lambda: worker.lines(text))
    return worker.lines(text)[0]


def test_sync_tasks_do_not_hold_the_loop(start: Callable[..., PoolWorker], app: Celery) -> None:
    start()
    gap = send(app, "longest_gap", 4.0)
    runs = [send(app, "blocking", 3.0) for _ in range(20)]
    assert [result(run) for run in runs] == ["done"] * 20
    assert result(gap) < 1.5


def test_a_hung_redis_does_not_hold_the_loop(start: Callable[..., PoolWorker], server: Server, app: Celery) -> None:
    """Coroutines that write their state or submit others wait in a thread while Redis hangs."""
    worker = start()
    gap = send(app, "longest_gap", 8.0)
    until(lambda: worker.metric("celery_active_tasks") == 1)
    runs = [send(app, "reporting", 2000), send(app, "submitting"), send(app, "reporting", 2000)]
    until(lambda: worker.metric("celery_active_tasks") >= 2)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        hung = time.monotonic()
        until(lambda: time.monotonic() - hung > 1.5)  # less than the 3 s after which a command gives up
    finally:
        os.kill(server.pid, signal.SIGCONT)
    for run in runs:
        result(run)
    longest = result(gap)
    print(f"longest gap of the loop while Redis hung: {longest:.3f} s")
    assert longest < 1
