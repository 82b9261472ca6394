"""What stock Celery does with exceptions, coroutines, memory and time limits."""

import subprocess
import sys
import time

from tests.integration.delivery.conftest import ended

from celeriac.states import State
from celeriac.testing import until

from .sides import MakeOurs, MakeStock, Stock

HANDLER = """
import sys
from celery import Celery
app = Celery(backend=sys.argv[1])
try:
    app.AsyncResult(sys.argv[2]).get(timeout=10)
except Exception as error:
    print(type(error).__module__, type(error).__name__, error)
"""


def test_trap_7_4_an_exception_is_rebuilt_from_a_class_the_reader_does_not_have(plain: Stock) -> None:
    run = plain.send("fail")
    until(run.ready, 30)
    program = [sys.executable, "-c", HANDLER, plain.server.url, str(run.id)]
    told = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60).stdout
    assert told == "celery.exceptions OrderError no such order\n"  # a class made up on the spot


def test_trap_10_1_async_def_fails_or_succeeds_without_running(plain: Stock) -> None:
    run = plain.send("work_async")
    until(run.ready, 30)
    assert run.state == "FAILURE"
    assert "EncodeError" in str(run.traceback)
    unheard = plain.send("work_async_unheard")
    until(lambda: plain.worker.said(f"trap_tasks.work_async_unheard[{unheard.id}] succeeded") == 1)
    assert plain.noted("async") == []


def test_trap_10_2_a_pool_of_threads_drops_time_limits(stock: MakeStock) -> None:
    side = stock(task_time_limit=1, task_soft_time_limit=0.5)
    side.start("threads")
    assert side.send("nap", 1.5).get(timeout=30) == 1.5


def test_trap_18_1_a_child_over_its_limit_is_replaced_between_tasks_only(stock: MakeStock) -> None:
    side = stock(worker_max_memory_per_child=1000)
    side.start("prefork")
    pids = [side.send("grow", 64).get(timeout=30) for _ in range(2)]
    assert len(side.noted("grew")) == len(set(pids)) == 2


def test_trap_4_1_a_freed_greenlet_does_not_wake_its_worker(stock: MakeStock, ours: MakeOurs) -> None:
    side = stock(task_acks_late=True, worker_prefetch_multiplier=1)
    side.start("gevent", concurrency=4)
    began = time.monotonic()
    runs = [side.send("nap", 0.05) for _ in range(12)]
    until(lambda: all(run.ready() for run in runs), 60)
    stock_took = time.monotonic() - began

    platform = ours(worker_prefetch_multiplier="1", worker_concurrency="4")
    platform.start("gevent", concurrency=4)
    began = time.monotonic()
    submitted = [platform.send("nap", 0.05) for _ in range(12)]
    with side.redis() as client:
        assert {ended(client, run).state for run in submitted} == {State.SUCCEEDED}
    assert time.monotonic() - began < stock_took / 2
