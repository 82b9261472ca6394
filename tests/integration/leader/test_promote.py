"""Delayed runs that fall due move to their lists."""

import time

import redis

from celeriac import keys
from celeriac.leader import Leader
from celeriac.record import Record
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit

DELIVERY = DeliverySettings(delay_threshold_seconds=0)


def late(client: redis.Redis, seconds: float, **fields: int) -> str:
    run = Submission(
        task="shop.report", queue="default", priority=fields.get("priority", 3), due=time.time() + seconds
    )
    assert submit(client, run, DELIVERY).state is State.SCHEDULED
    return run.id


def fall_due(client: redis.Redis, *ids: str) -> None:
    client.zadd(keys.DELAYED, dict.fromkeys(ids, 1000))


def test_what_is_due_moves_and_the_rest_stays(client: redis.Redis, leader: Leader) -> None:
    due, later = late(client, 30), late(client, 60)
    fall_due(client, due)

    moved, wait = leader.call("promote", [keys.DELAYED], [100])

    assert moved == 1
    assert 50_000 < wait <= 60_000
    assert client.zrange(keys.DELAYED, 0, -1) == [later.encode()]
    assert client.llen(keys.queue_list("default", 3)) == 1
    assert not client.hexists(keys.RUN + due, "message"), "the message moves, it is not copied"
    record = Record.read(due, client.hgetall(keys.RUN + due))
    assert record is not None
    assert record.state is State.QUEUED


def test_batches_are_bounded_and_say_that_more_is_due(client: redis.Redis, leader: Leader) -> None:
    fall_due(client, *(late(client, 30) for _ in range(5)))
    assert leader.call("promote", [keys.DELAYED], [3]) == [3, 0]
    assert leader.call("promote", [keys.DELAYED], [3]) == [2, -1]


def test_the_earliest_is_taken_first(client: redis.Redis, leader: Leader) -> None:
    first, second = late(client, 30), late(client, 40)
    client.zadd(keys.DELAYED, {first: 1000, second: 2000})
    leader.call("promote", [keys.DELAYED], [100])
    taken = client.rpop(keys.queue_list("default", 3))
    assert isinstance(taken, bytes)
    assert first.encode() in taken


def test_a_retrying_run_stays_retrying(client: redis.Redis, leader: Leader) -> None:
    run = late(client, 30)
    client.hset(keys.RUN + run, "state", State.RETRYING)
    fall_due(client, run)
    leader.call("promote", [keys.DELAYED], [100])
    assert client.hget(keys.RUN + run, "state") == b"retrying"
    assert client.llen(keys.queue_list("default", 3)) == 1


def test_an_entry_without_a_record_goes(client: redis.Redis, leader: Leader) -> None:
    run = late(client, 30)
    client.delete(keys.RUN + run)
    fall_due(client, run)
    assert leader.call("promote", [keys.DELAYED], [100]) == [0, -1]
    assert client.zcard(keys.DELAYED) == 0
