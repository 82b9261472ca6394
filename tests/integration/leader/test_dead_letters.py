"""Dead letters go by age too, with what is kept of their runs."""

import redis

from celeriac import keys
from celeriac.leader import Leader
from celeriac.settings import Settings
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit
from celeriac_scheduler.dead_letters import DeadLetters

DAY = 86_400


def dead(client: redis.Redis, *, days: float) -> str:
    """Have a run be a dead letter since so many days."""
    run = Submission(task="shop.report", queue="default", priority=3)
    submit(client, run, DeliverySettings())
    seconds, _ = client.time()
    client.hset(keys.RUN + run.id, "state", State.DEAD)
    client.hset(keys.DEAD_LETTER + run.id, "reason", "memory")
    client.zadd(keys.DEAD, {run.id: round((seconds - days * DAY) * 1000)})
    return run.id


def test_the_old_go_and_the_young_stay(client: redis.Redis, leader: Leader) -> None:
    old, young = [dead(client, days=30.1) for _ in range(101)], dead(client, days=29.9)
    duty = DeadLetters(Settings())
    assert duty.turn(leader) == 0, "more are left: it goes on at once"
    assert duty.turn(leader) == 60
    assert client.zrange(keys.DEAD, 0, -1) == [young.encode()]
    assert client.exists(keys.DEAD_LETTER + young, *(keys.DEAD_LETTER + id for id in old)) == 1
    assert client.ttl(keys.RUN + young) == -1
    assert all(0 < client.ttl(keys.RUN + id) <= DAY for id in old)


def test_the_age_is_a_setting(client: redis.Redis, leader: Leader) -> None:
    dead(client, days=1)
    DeadLetters(Settings(delivery=DeliverySettings(dead_letter_seconds=DAY + 60))).turn(leader)
    assert client.zcard(keys.DEAD) == 1
    DeadLetters(Settings(delivery=DeliverySettings(dead_letter_seconds=DAY - 60))).turn(leader)
    assert client.zcard(keys.DEAD) == 0


def test_one_that_was_replayed_and_runs_keeps_its_record(client: redis.Redis, leader: Leader) -> None:
    again = dead(client, days=31)
    client.hset(keys.RUN + again, "state", State.RUNNING)
    DeadLetters(Settings()).turn(leader)
    assert client.zcard(keys.DEAD) == 0
    assert client.ttl(keys.RUN + again) == -1
