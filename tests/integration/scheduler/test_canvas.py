"""Chords and chains whose parts ended where no worker could tell. Messages are stock Celery's, the leader is real."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery, chain, chord, states
from celery.app.task import Context
from celery.exceptions import ChordError

from celeriac import keys, message
from celeriac.errors import DeadLetterError
from celeriac.testing import Server, until

from .conftest import SchedulerProcess, StartScheduler


@pytest.fixture
def stock(client: redis.Redis, shared_server: Server) -> Iterator[Celery]:
    with Celery("stock", broker=shared_server.url, backend=shared_server.url, set_as_current=False) as app:
        app.conf.task_default_queue = "default"
        yield app


@pytest.fixture
def scheduler(client: redis.Redis, shared_server: Server, start: StartScheduler) -> SchedulerProcess:
    scheduler = start(shared_server.url, scheduler_lease_seconds="1")
    until(scheduler.leads)
    return scheduler


def sent(client: redis.Redis) -> list[tuple[bytes, message.Contents]]:
    """All that waits, the one to be taken next first."""
    texts: list[Any] = client.lrange("default", 0, -1)
    return [(text, message.read(text)) for text in reversed(texts)]


def report(stock: Celery, contents: message.Contents, result: int) -> None:
    """Report a part as a worker does."""
    backend: Any = stock.backend
    backend.on_chord_part_return(Context({**contents.headers, **contents.embed}), states.SUCCESS, result)


def hand_over_and_lose(client: redis.Redis, text: bytes, deliveries: int) -> None:
    """Let a worker be lost that was handed *text* for the *deliveries*-th time."""
    headers = message.read(text).headers
    client.lrem("default", 1, text.decode())
    client.hset(keys.RUN + headers["id"], mapping={"state": "running", "deliveries": deliveries, "created": 1,
        "task": headers["task"], "queue": "default", "priority": 0, "list": "default"})  # fmt: skip
    client.hset(keys.UNACKED + "default", "lost|1|default", text)
    client.zadd(keys.LEASES, {"default/lost": time.time() * 1000})


def test_a_part_that_died_fails_its_chord(client: redis.Redis, stock: Celery, scheduler: SchedulerProcess) -> None:
    body = chord([stock.signature("shop.part", args=[n]) for n in range(3)])(stock.signature("shop.sum"))
    first, second, third = sent(client)
    report(stock, first[1], 1)
    report(stock, third[1], 3)
    hand_over_and_lose(client, second[0], deliveries=5)
    with pytest.raises(ChordError, match=r"DeadLetterError.*max_deliveries"):
        stock.AsyncResult(body.id).get(timeout=30)


def test_a_cancelled_part_fails_its_chord(client: redis.Redis, stock: Celery, scheduler: SchedulerProcess) -> None:
    body = chord([stock.signature("shop.part", args=[n]) for n in range(2)])(stock.signature("shop.sum"))
    first, second = sent(client)
    report(stock, first[1], 1)
    id = second[1].headers["id"]
    hand_over_and_lose(client, second[0], deliveries=1)
    client.hset(keys.RUN + id, "cancel", 1)
    with pytest.raises(ChordError, match="TaskRevokedError"):
        stock.AsyncResult(body.id).get(timeout=30)


def test_what_was_to_follow_in_a_chain_is_told(
    client: redis.Redis, stock: Celery, scheduler: SchedulerProcess
) -> None:
    last = chain(*(stock.signature("shop.part", args=[n]) for n in range(3))).apply_async()
    ((text, _),) = sent(client)
    hand_over_and_lose(client, text, deliveries=5)
    with pytest.raises(DeadLetterError):
        last.get(timeout=30)


def test_errbacks_are_sent_to_their_own_queue(
    client: redis.Redis, stock: Celery, scheduler: SchedulerProcess
) -> None:
    client.hset(keys.CATALOG, "shop.alarm", json.dumps({"name": "shop.alarm", "queue": "io", "arguments": {}}))
    result = stock.send_task("shop.part", link_error=stock.signature("shop.alarm"))
    ((text, _),) = sent(client)
    hand_over_and_lose(client, text, deliveries=5)
    until(lambda: sum(client.llen(name) for name in keys.queue_lists("io")))
    (alarm,) = [text for name in keys.queue_lists("io") for text in client.lrange(name, 0, -1)]
    assert message.read(alarm)[:2][0]["task"] == "shop.alarm"
    assert message.read(alarm).args == [result.id]


def test_a_complete_chord_that_nobody_sends_is_sent_by_the_leader(
    client: redis.Redis, stock: Celery, scheduler: SchedulerProcess
) -> None:
    """As after SIGKILL between the claim to the body and its publication."""
    body = chord([stock.signature("shop.part", args=[n]) for n in range(2)])(stock.signature("shop.sum"))
    parts = sent(client)
    group = parts[0][1].headers["group"]
    report(stock, parts[0][1], 1)
    client.set(f"{keys.GROUP}{group}.c", "a worker that is gone", px=500)
    report(stock, parts[1][1], 2)
    client.hset(keys.CHORDS, group, json.dumps({**parts[1][1].headers, "chord": parts[1][1].embed["chord"]}))

    until(lambda: client.exists(keys.RUN + body.id) or client.llen("default") > 2)

    lists = [text for name in keys.queue_lists("default") for text in client.lrange(name, 0, -1)]
    (sum_,) = [message.read(text) for text in lists if message.read(text).headers["task"] == "shop.sum"]
    assert (sum_.headers["id"], sum_.args) == (body.id, [[1, 2]])
    until(lambda: not client.hexists(keys.CHORDS, group))
