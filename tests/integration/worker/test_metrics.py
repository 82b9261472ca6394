"""Counts of runs, whichever process ran them."""

import threading
import time
from pathlib import Path

import pytest

from celeriac.testing import Server, until

from .conftest import Send, StartWorker, record, result


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo", "gevent", "asyncio"])
def test_runs_are_counted_by_how_they_ended(start_worker: StartWorker, send: Send, server: Server, pool: str) -> None:
    worker = start_worker(server, worker_pool=pool).wait_consuming()
    for number in range(3):
        send("add", number, 1)
    send("fail", "no")
    until(lambda: worker.metric('celery_tasks_total{status="success",task_name="errands.add"}') == 3)
    until(lambda: worker.metric('celery_tasks_total{status="failure",task_name="errands.fail"}') == 1)
    assert worker.metric('celery_task_duration_seconds_count{task_name="errands.add"}') == 3
    assert worker.metric('celery_task_wait_seconds_count{task_name="errands.add"}') == 3
    assert worker.metric('celery_task_wait_seconds_sum{task_name="errands.add"}') < 60
    assert worker.metric("celery_active_tasks") == 0


def test_the_wait_before_a_worker_came_counts(start_worker: StartWorker, send: Send, server: Server) -> None:
    with server.client() as client:
        id = send("add", 1, 1)
        until(lambda: time.time() - record(client, id).created > 2)
    worker = start_worker(server).wait_consuming()
    until(lambda: worker.metric('celery_task_wait_seconds_count{task_name="errands.add"}') == 1)
    assert worker.metric('celery_task_wait_seconds_sum{task_name="errands.add"}') > 2


def test_a_run_killed_by_its_time_limit_is_counted(start_worker: StartWorker, send: Send, server: Server) -> None:
    worker = start_worker(server, task_time_limit="2", task_soft_time_limit="1.9").wait_consuming()
    send("sleep_through", 30.0)
    until(lambda: worker.metric('celery_tasks_total{status="failure",task_name="errands.sleep_through"}') == 1, 30)


@pytest.mark.timeout(420)
def test_children_are_recycled_under_scrapes(
    start_worker: StartWorker, send: Send, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Threads and fork: none of 200 children may hang, no count may be lost, and no files may pile up."""
    runs = 200
    folder = tmp_path / "metrics"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    worker = start_worker(server, worker_max_tasks_per_child="1", worker_concurrency="2").wait_consuming()
    stop, scrapes = threading.Event(), [0]

    def scrape() -> None:
        while not stop.wait(0.01):
            assert worker.get("/metrics").status_code == 200
            scrapes[0] += 1

    threads = [threading.Thread(target=scrape) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        ids = [send("add", number, 1) for number in range(runs)]
        until(lambda: all(result(server, id) for id in ids), 300)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert worker.metric('celery_tasks_total{status="success",task_name="errands.add"}') == runs
    assert scrapes[0] > 100
    assert len(list(folder.glob("*.db"))) <= 3 * 4  # main and two slots (a third while one is replaced), by kind
    assert worker.end() == 0
    assert not folder.exists()
