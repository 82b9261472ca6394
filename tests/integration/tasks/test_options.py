"""What a task may ask for: options, priorities, rate limits, signals, chords by plain Celery."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from celery import Celery, chord, group

from celeriac import keys
from celeriac.app import create_app
from celeriac.client import Client
from celeriac.testing import Platform, until
from cookbook.patterns.basic import add, fetch, process_data
from cookbook.patterns.priorities import mark
from cookbook.patterns.steps import aggregate, process_item


def stored(platform: Platform, run: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(platform.client.get(keys.RESULT + run) or "{}")
    return value


def test_a_basic_task_and_an_async_one(platform: Platform) -> None:
    added, fetched = platform.send(add.s(4, 4)), platform.send(fetch.s("k"))
    assert platform.ended(added).state == "succeeded"
    assert stored(platform, added)["result"] == 8
    assert platform.ended(fetched).state == "succeeded"
    assert stored(platform, fetched)["result"] == {"fetched": "k"}


def test_a_task_with_every_option(platform: Platform) -> None:
    run = platform.send(process_data.s({"key": "value"}))
    assert platform.ended(run).state == "succeeded"
    assert stored(platform, run)["result"] == {"data": {"key": "value"}, "run": run, "attempt": 1}
    assert stored(platform, run)["name"] == "cookbook.process_data"  # result_extended


async def test_one_direction_of_priority_for_every_sender(fresh: Platform) -> None:
    """0 goes first, whoever sends: our client, our Celery app, a stock Celery app."""
    stock = Celery("stock", broker=fresh.settings.redis.url, set_as_current=False)
    fresh.app.finalize()
    runs: dict[str, int] = {}
    client = Client(fresh.settings, fresh.app)
    for priority in (9, 6, 3, 0):
        runs[await client.submit(mark.s("client").set(priority=priority))] = priority
        runs[fresh.send(mark.s("app"), priority=priority)] = priority
        run = stock.send_task(mark.name, args=["stock"], priority=priority, queue="default")
        runs[str(run.id)] = priority
    await client.aclose()
    fresh.worker(worker_pool="solo", worker_concurrency="1", worker_prefetch_multiplier="1")
    until(lambda: all(fresh.client.hexists(keys.RUN + run, "finished") for run in runs), 60)
    by_start = sorted(runs, key=lambda run: fresh.record(run).started or 0)
    assert [runs[run] for run in by_start] == [0] * 3 + [3] * 3 + [6] * 3 + [9] * 3


async def test_trap_14_1_a_run_without_a_priority_is_not_the_first(fresh: Platform) -> None:
    """On stock Redis, no priority means 0, which goes before everything. Ours has a default."""
    client = Client(fresh.settings, fresh.app)
    runs = [await client.submit(mark.s("a")), fresh.send(mark.s("b"))]
    runs.append(str(fresh.app.send_task(mark.name, args=["c"]).id))
    await client.aclose()
    assert [fresh.record(run).priority for run in runs] == [3, 3, 3]
    stock = Celery("stock", broker=fresh.settings.redis.url, set_as_current=False)
    stock.send_task(mark.name, args=["d"], queue="default")
    assert fresh.client.llen(keys.queue_list("default", 0)) == 1


def test_rate_limits(platform: Platform) -> None:
    runs = [platform.send("reporting_tasks.limited", n) for n in range(4)]
    started = sorted(platform.ended(run).started or 0 for run in runs)
    assert started[-1] - started[0] > 1.2


def test_success_and_failure_signals(platform: Platform) -> None:
    good, bad = platform.send("reporting_tasks.succeed", 7), platform.send("reporting_tasks.fail", 8)
    assert (platform.ended(good).state, platform.ended(bad).state) == ("succeeded", "failed")
    told = {f"reporting_tasks.succeed {good} 7".encode(), f"reporting_tasks.fail {bad} nothing at 8".encode()}
    until(lambda: told <= set(platform.client.lrange("noted", 0, -1)))


def test_a_run_that_expired_does_not_run(fresh: Platform) -> None:
    run = fresh.send(add.s(1, 1), expires=datetime.fromtimestamp(time.time() + 0.3, UTC))
    until(lambda: time.time() > (fresh.record(run).expires or 0))
    fresh.worker()
    assert fresh.ended(run).state == "expired"


def test_a_chord_by_plain_celery(platform: Platform) -> None:
    """An app with the result backend, as a worker's, counts the parts of a chord itself."""
    app = create_app(platform.settings, "worker")
    with platform.current(app):
        run = chord(group(process_item.s({"n": n}) for n in range(3)), aggregate.s()).apply_async()
    assert platform.ended(str(run.id)).state == "succeeded"
    assert stored(platform, str(run.id))["result"]["total"] == 3
