"""What stock Celery loses, doubles or repeats without end."""

import base64
import json
from typing import Any

import pytest
import redis

from celeriac import message
from celeriac.testing import until

from .sides import LATE, SWEEPING, MakeStock, Stock


def test_trap_2_4_a_task_that_kills_its_process_runs_for_ever(stock: MakeStock) -> None:
    side = stock(**LATE, task_reject_on_worker_lost=True)
    side.start("prefork", concurrency=4)
    run = side.send("kill_itself")
    until(lambda: len(side.noted("died")) > 3, 60)
    assert run.state == "PENDING"


def test_trap_2_5_a_hard_limit_that_requeues_has_no_end(stock: MakeStock) -> None:
    side = stock(**LATE)
    side.start("prefork")
    run = side.send("overrun")
    until(lambda: len(side.noted("overran")) > 2, 60)
    assert run.state == "FAILURE"  # while it runs
    until(lambda: len(side.noted("overran")) > 3, 60)


def stock_message(id: str, queue: str, **changes: Any) -> str:
    text = message.encode(id=id, task="trap_tasks.add", args=[1, 2], kwargs={}, queue=queue, priority=0)
    return json.dumps({**json.loads(text), **changes})


def test_trap_2_6_what_cannot_be_read_is_dropped(plain: Stock) -> None:
    with plain.redis() as client:
        for number, changes in enumerate(
            [{"body": base64.b64encode(b"{").decode()}, {"content-type": "application/x-python-serialize"}]
        ):
            client.lpush("celery", stock_message(f"bad-{number}", "celery", **changes))
        assert plain.send("add", 1, 1).get(timeout=30) == 2
        until(lambda: (plain.waiting(), plain.held()) == (0, 0))
        assert client.keys("*bad-*") == []


def test_trap_7_1_an_argument_that_looks_like_an_envelope_makes_the_run_vanish(plain: Stock) -> None:
    run = plain.send("show", {"__type__": "uuid", "__value__": "x"})
    assert plain.send("add", 1, 1).get(timeout=30) == 2
    until(lambda: (plain.waiting(), plain.held()) == (0, 0))
    assert run.state == "PENDING"


@pytest.mark.parametrize("deduplicate", [pytest.param(False, id="plain"), pytest.param(True, id="deduplicated")])
def test_trap_3_1_3_2_a_task_longer_than_the_visibility_timeout_runs_twice(
    stock: MakeStock, deduplicate: bool
) -> None:
    side = stock(**LATE, broker_transport_options=SWEEPING, worker_deduplicate_successful_tasks=deduplicate)
    side.start()
    run = side.send("nap", 30)
    until(lambda: side.noted("started"), 30)
    side.start()
    until(lambda: side.noted("started") == [run.id] * 2, 30)
    assert side.noted("ended") == []


@pytest.mark.parametrize(("multiplier", "taken"), [(4, 4), (0, 20)])
def test_trap_4_a_busy_worker_holds_what_an_idle_one_could_run(stock: MakeStock, multiplier: int, taken: int) -> None:
    """4 is the default; 0 takes whatever there is."""
    side = stock(task_acks_late=True, worker_prefetch_multiplier=multiplier)
    for _ in range(20):
        side.send("nap", 30)
    side.start("threads")
    until(lambda: side.held() == taken, 30)
    assert (side.waiting(), len(side.noted("started"))) == (20 - taken, 1)


def test_trap_12_2_a_cut_connection_runs_its_tasks_twice(stock: MakeStock, client: redis.Redis) -> None:
    side = stock(**LATE)
    side.start("prefork", concurrency=4)
    runs = [side.send("nap", 4).id for _ in range(2)]
    until(lambda: len(side.noted("started")) == 2, 30)
    client.client_kill_filter(_type="normal", skipme=True)
    until(lambda: sorted(side.noted("started")) == sorted(runs * 2), 30)


def test_trap_18_2_a_memory_error_ends_the_worker_and_waits_for_the_next(stock: MakeStock) -> None:
    side = stock(**LATE)
    side.send("exhaust")
    worker = side.launch("solo")
    until(lambda: not worker.running, 60)
    assert worker.stop() == 1
    assert len(side.noted("exhausted")) == 1
    assert side.waiting() == 1
