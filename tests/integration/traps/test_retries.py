"""What stock Celery loses and doubles when it retries, and what its two ways of retrying do to each other."""

import json
from typing import Any

import redis
from celery.result import AsyncResult
from tests.integration.delivery.conftest import ended, held

from celeriac import keys
from celeriac.states import State
from celeriac.testing import Server, until

from .sides import LATE, MakeOurs, MakeStock, Stock


def ids_on(client: redis.Redis, *lists: str) -> list[str]:
    texts: list[Any] = [text for name in lists for text in client.lrange(name, 0, -1)]
    return [json.loads(text)["headers"]["id"] for text in texts]


def test_trap_2_8_a_retry_that_is_lost_half_way_is_there_twice(
    stock: MakeStock, ours: MakeOurs, client: redis.Redis
) -> None:
    side = stock(**LATE)
    run = side.send("retry_and_die")
    worker = side.launch()
    until(lambda: not worker.running, 60)
    assert ids_on(client, "celery") == [run.id]  # the retry
    ((held_message, *_),) = [json.loads(text) for text in client.hvals("unacked")]
    assert held_message["headers"]["id"] == run.id  # and the attempt that asked for it, to be delivered again

    platform = ours()
    again = platform.send("retry_and_die")
    worker = platform.launch()
    until(lambda: not worker.running, 60)
    assert ids_on(client, *keys.queue_lists("default")) == []
    assert held(client) == 1
    assert client.hget(keys.RUN + again, "retries") in (None, b"0")


def test_trap_2_8_a_retry_while_redis_is_full_ends_the_run(stock: MakeStock, server: Server) -> None:
    side = stock(server, **LATE, result_backend=None)
    side.start()
    side.send("retry_when_full", server.port)
    until(lambda: side.noted("attempt") == ["0"], 30)
    until(lambda: not side.held(), 30)
    with server.client() as client:
        client.config_set("maxmemory", 0)
    side.send("nap", 0)
    until(lambda: side.noted("ended"), 30)
    assert (side.waiting(), side.held()) == (0, 0)
    assert side.noted("attempt") == ["0"]


def test_trap_8_1_a_limit_of_one_run_holds_for_the_next_too(plain: Stock, ours: MakeOurs) -> None:
    """``retry(max_retries=…)`` leaves its number on the task, where ``autoretry_for`` finds it."""
    for by_hand in (True, False):
        run = plain.send("retry_both_ways", by_hand)
        until(run.ready, 30)
    assert (plain.noted("by-hand"), plain.noted("automatic")) == (["0"], ["0"])

    platform = ours()
    platform.start()
    runs = [platform.send("retry_both_ways", by_hand) for by_hand in (True, False)]
    with platform.server.client() as client:
        assert [ended(client, run).state for run in runs] == [State.FAILED] * 2
    assert (platform.noted("by-hand"), platform.noted("automatic")) == (["0"], ["0", "1", "2"])


def test_trap_8_1_autoretry_never_fires_on_async_def(plain: Stock) -> None:
    run = plain.send("fail_async")
    until(run.ready, 30)
    assert run.state == "FAILURE"
    assert plain.noted("attempt-async") == []


def test_trap_8_2_a_retry_waits_in_the_memory_of_a_worker(stock: MakeStock) -> None:
    side = stock(task_acks_late=True)
    side.start()
    run: AsyncResult[object] = side.send("retry_later", 600)
    until(lambda: run.state == "RETRY", 30)
    until(lambda: (side.waiting(), side.held()) == (0, 1), 30)
