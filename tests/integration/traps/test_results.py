"""What stock Celery makes of runs whose result store goes away, of chords, and of steps delivered again."""

import time
from typing import Any

import pytest
import redis
from celery import Celery, chord
from tests.integration.delivery.conftest import ended, held

from celeriac import keys, message
from celeriac.leader import Leader
from celeriac.states import State
from celeriac.testing import Server, until

from .sides import LATE, SWEEPING, MakeOurs, MakeStock, Side

NAP = message.encode(id="n", task="trap_tasks.nap", args=[0], kwargs={}, queue="celery", priority=0)


def test_trap_7_2_a_silent_result_store_holds_a_child(stock: MakeStock, server: Server) -> None:
    """For two minutes by default; ours gives up a call after ``CELERIAC_REDIS_TIMEOUT``, 3 s by default."""
    side = stock(result_backend=server.url)
    side.start()
    server.hang()
    assert (side.app.conf.redis_socket_timeout, side.app.conf.redis_socket_connect_timeout) == (120, None)
    with side.redis() as client:
        for _ in range(2):
            client.lpush("celery", NAP)
    until(lambda: len(side.noted("ended")) == 1, 30)
    with pytest.raises(AssertionError, match="for 5 s"):
        until(lambda: len(side.noted("ended")) == 2, 5)


def chord_through_outage(side: Side, server: Server, app: Any, queue: str) -> Any:
    """Take Redis away while all parts run, and bring it back when they have ended."""
    parts = [app.signature("trap_tasks.nap", (1,), queue=queue) for _ in range(2)]
    body = chord(parts, app=app)(app.signature("trap_tasks.total", queue=queue))
    until(lambda: len(side.noted("started")) == 2, 30)
    server.kill()
    until(lambda: len(side.noted("ended")) == 2, 30)
    ends = side.notes.stat().st_mtime + 0.5  # for the parts to report to nobody
    until(lambda: time.time() > ends)
    server.start()
    return body


def test_trap_7_3_9_1_an_outage_fails_what_succeeded_and_its_chord(
    stock: MakeStock, ours: MakeOurs, server: Server
) -> None:
    side = stock(server)
    side.start("prefork", concurrency=2)
    body = chord_through_outage(side, server, side.app, "celery")
    until(body.ready, 60)
    assert body.state == "FAILURE"
    assert "FAILURE" in [part.state for part in body.parent]
    side.end()

    platform = ours(server, worker_concurrency="2")
    platform.start("prefork", concurrency=2)
    body = chord_through_outage(platform, server, side.app, "default")
    with server.client() as client:
        until(lambda: client.exists(keys.RUN + body.id), 60)
        assert ended(client, str(body.id)).state is State.SUCCEEDED
        for part in body.parent:
            assert ended(client, str(part.id)).state is State.SUCCEEDED
    assert platform.noted("total") == ["[1, 1]"]


def test_trap_9_2_a_chord_whose_last_part_is_lost_at_its_end_has_no_body(stock: MakeStock) -> None:
    side = stock()
    app = side.app
    parts = [app.signature("trap_tasks.nap", (0.5,)) for _ in range(2)]  # time for the acknowledgement, as by default
    body: Any = chord(parts, app=app)(app.signature("trap_tasks.total"))
    worker = side.launch("threads", TRAP_DIE_BEFORE="trap_tasks.total")
    until(lambda: not worker.running, 60)
    assert [part.state for part in body.parent] == ["SUCCESS", "SUCCESS"]
    assert (side.waiting(), side.held(), body.state) == (0, 0, "PENDING")  # nothing is left that would send it


def reclaim(leader: Leader, client: redis.Redis) -> None:
    """Take back what a lost worker held."""

    def reclaimed() -> bool:
        leader.call("reclaim", [keys.LEASES, keys.LEASES_WATCHED], [500, 2, 100, 600, 0, 0])
        return not held(client)

    until(reclaimed, 30)


def send_chain(app: Celery, queue: str) -> Any:
    add = app.signature("trap_tasks.add", (1, 2), queue=queue)
    return (add | app.signature("trap_tasks.total", ([1],), immutable=True, queue=queue)).apply_async()


def test_trap_9_3_a_step_delivered_again_sends_its_followers_again(
    stock: MakeStock, ours: MakeOurs, client: redis.Redis, leader: Leader
) -> None:
    side = stock(**LATE, broker_transport_options=SWEEPING)
    app = side.app
    send_chain(app, queue="celery")
    worker = side.launch(TRAP_DIE_AFTER="trap_tasks.total")
    until(lambda: not worker.running, 60)
    side.start(TRAP_DIE_AFTER="trap_tasks.total")
    until(lambda: len(side.noted("total")) == 2, 30)

    platform = ours(delivery_lease_seconds="1")
    run = send_chain(app, queue="default")
    worker = platform.launch(TRAP_DIE_AFTER="trap_tasks.total")
    until(lambda: not worker.running, 60)
    reclaim(leader, client)
    platform.start(TRAP_DIE_AFTER="trap_tasks.total")
    until(lambda: platform.noted("total") and not held(client), 30)
    assert ended(client, str(run.id)).state is State.SUCCEEDED
    assert ended(client, str(run.parent.id)).state is State.SUCCEEDED
    assert platform.noted("total") == ["[1]"]
