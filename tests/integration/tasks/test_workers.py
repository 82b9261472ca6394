"""Workers as the document runs them: each pool, one per queue, replaced by tasks and by memory, scaled, watched."""

import json
from typing import Any

import pytest
from celery import Celery

from celeriac import keys
from celeriac.testing import Platform
from cookbook import monitor


def value(platform: Platform, run: str) -> Any:
    assert platform.ended(run).state == "succeeded"
    return json.loads(platform.client.get(keys.RESULT + run) or "{}")["result"]


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo", "gevent", "asyncio"])
def test_each_pool(fresh: Platform, pool: str) -> None:
    worker = fresh.worker(worker_pool=pool, worker_concurrency="1" if pool == "solo" else "3")
    runs = [fresh.send("cookbook.patterns.basic.add", n, n) for n in range(10)]
    runs += [fresh.send("cookbook.patterns.basic.fetch", str(n)) for n in range(10)]
    assert [value(fresh, run) for run in runs[:10]] == [2 * n for n in range(10)]
    assert [value(fresh, run) for run in runs[10:]] == [{"fetched": str(n)} for n in range(10)]
    assert worker.end() == 0


def test_a_worker_per_queue(fresh: Platform) -> None:
    for group in ("default", "io"):
        fresh.worker(worker_group=group, worker_queues=group)
    runs = {queue: fresh.send("working_tasks.where", queue=queue) for queue in ("default", "io")}
    for queue, run in runs.items():
        assert str(fresh.ended(run).worker).startswith(f"{queue}@")


def test_a_child_is_replaced_after_its_number_of_tasks(fresh: Platform) -> None:
    fresh.worker(worker_concurrency="1", worker_max_tasks_per_child="3")
    runs = [fresh.send("working_tasks.where") for _ in range(9)]
    pids = [value(fresh, run) for run in runs]
    assert sorted(pids.count(pid) for pid in set(pids)) == [3, 3, 3]


def test_a_child_is_replaced_when_it_has_grown(fresh: Platform) -> None:
    fresh.worker(worker_concurrency="1", worker_max_memory_per_child_kib="1000")
    pids = [value(fresh, fresh.send("working_tasks.where")) for _ in range(3)]
    assert len(set(pids)) == 3


def test_a_pool_grows_under_load(fresh: Platform) -> None:
    fresh.worker(worker_concurrency="4", worker_autoscale_min="1")
    runs = [fresh.send("working_tasks.where", 1.0) for _ in range(8)]
    assert len({value(fresh, run) for run in runs}) > 1


def test_an_event_monitor_sees_what_workers_do(fresh: Platform) -> None:
    """The document's monitor reads attributes that do not exist; heartbeats carry what it wanted."""
    fresh.worker()
    states = monitor.watch(Celery(broker=fresh.settings.redis.url, set_as_current=False), seconds=30)
    run = None
    for state in states:
        (line, *_) = monitor.describe(state) or [""]
        if run is None and "online" in line:
            run = fresh.send("cookbook.patterns.basic.add", 1, 1)
        if line.endswith(" 1 processed"):
            break
    assert run is not None
    assert " online, 0 active, 1 processed" in line
