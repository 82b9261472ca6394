"""History: bounded by number, and never at the cost of what is not over."""

from typing import Any

import redis

from celeriac import keys
from celeriac.leader import Leader
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit

TASK = "shop.report"


def made(client: redis.Redis, state: State, created: int, *, expires: bool = True) -> str:
    run = Submission(task=TASK, queue="default", priority=0)
    submit(client, run, DeliverySettings())
    client.hset(keys.RUN + run.id, "state", state)
    client.zadd(keys.RUNS + TASK, {run.id: created})
    if expires:
        client.expire(keys.RUN + run.id, 60)
    return run.id


def trim(leader: Leader, *, keep: int, batch: int = 1000) -> int:
    more, last, finished, total = 1, b"", 0, 0
    while more:
        more, last, finished, removed = leader.call(
            "history", [keys.RUNS + TASK, keys.TASKS], [TASK, last, batch, finished, keep]
        )
        total += removed
    return total


def left(client: redis.Redis) -> set[str]:
    ids: Any = client.zrange(keys.RUNS + TASK, 0, -1)
    return {id.decode() for id in ids}


def test_the_oldest_finished_go(client: redis.Redis, leader: Leader) -> None:
    runs = [made(client, State.SUCCEEDED if i % 2 else State.FAILED, i) for i in range(10)]
    client.set(keys.RESULT + runs[0], "{}")
    assert trim(leader, keep=4, batch=3) == 6
    assert left(client) == set(runs[6:])
    assert not client.exists(keys.RUN + runs[0], keys.RESULT + runs[0])
    assert trim(leader, keep=4) == 0


def test_what_is_not_over_stays_and_does_not_count(client: redis.Redis, leader: Leader) -> None:
    waiting = [made(client, state, i, expires=False) for i, state in enumerate((State.QUEUED, State.RUNNING))]
    dead = made(client, State.DEAD, 3, expires=False)
    cancelled_in_its_list = made(client, State.CANCELLED, 4, expires=False)
    done = [made(client, State.SUCCEEDED, i) for i in (5, 6)]
    assert trim(leader, keep=1) == 1
    assert left(client) == {*waiting, dead, cancelled_in_its_list, done[1]}


def test_expired_records_leave_the_index_and_empty_tasks_the_list(client: redis.Redis, leader: Leader) -> None:
    for i in range(7):
        client.delete(keys.RUN + made(client, State.SUCCEEDED, i))
    assert trim(leader, keep=100, batch=3) == 7
    assert not client.exists(keys.RUNS + TASK, keys.TASKS)


def test_a_batch_that_goes_whole_does_not_end_the_pass(client: redis.Redis, leader: Leader) -> None:
    for i in range(6):
        made(client, State.SUCCEEDED, i)
    assert trim(leader, keep=0, batch=2) == 6
    assert left(client) == set()
