"""Deliveries of a lost worker: back to the front of their list, or ended."""

import hashlib
import json
import time
from typing import NamedTuple

import pytest
import redis
from celery import Celery

from celeriac import keys
from celeriac.errors import DeadLetterError
from celeriac.leader import Leader
from celeriac.record import Record
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit

LIST = keys.queue_list("default", 3)
UNACKED = keys.UNACKED + "default"


class Counts(NamedTuple):
    requeued: int
    dead: int
    cancelled: int
    dropped: int
    wait: int


def reclaim(
    leader: Leader,
    *,
    batch: int = 500,
    max_deliveries: int = 5,
    dead_limit: int = 100,
    outage: float = 10,
    grace: float = 0,
) -> Counts:
    arguments = [batch, max_deliveries, dead_limit, 60, round(outage * 1000), round(grace * 1000)]
    return Counts(*leader.call("reclaim", [keys.LEASES, keys.LEASES_WATCHED], arguments))


def delivered(client: redis.Redis, owner: str, *, ended: bool = True, deliveries: int = 1, sequence: int = 1) -> str:
    """Submit a run and hand it to *owner* as ``reserve`` would."""
    run = Submission(task="shop.report", queue="default", priority=3)
    submit(client, run, DeliverySettings())
    message = client.rpop(LIST)
    assert isinstance(message, bytes)
    client.hset(UNACKED, f"{owner}|{sequence}|{LIST}", message)
    client.zadd(keys.LEASES, {f"default/{owner}": 1000 if ended else (time.time() + 60) * 1000})
    client.hset(keys.RUN + run.id, mapping={"state": "running", "deliveries": deliveries, "worker": owner})
    return run.id


def record(client: redis.Redis, id: str) -> Record:
    found = Record.read(id, client.hgetall(keys.RUN + id))
    assert found is not None
    return found


def waiting(client: redis.Redis) -> list[str]:
    """Ids in the list, the one to be taken next first."""
    return [json.loads(text)["headers"]["id"] for text in reversed(client.lrange(LIST, 0, -1))]


def test_only_an_ended_lease_is_taken_back(client: redis.Redis, leader: Leader) -> None:
    lost = delivered(client, "lost")
    held = delivered(client, "lives", ended=False)

    counts = reclaim(leader)

    assert (counts.requeued, 55_000 < counts.wait <= 60_000) == (1, True)
    assert waiting(client) == [lost]
    assert (record(client, lost).state, record(client, held).state) == (State.REQUEUED, State.RUNNING)
    assert record(client, lost).worker is None
    assert client.zrange(keys.LEASES, 0, -1) == [b"default/lives"]
    assert client.hlen(UNACKED) == 1


def looked(client: redis.Redis, *, ago: float, since: float) -> None:
    """Have the leader's last look be so many seconds ago, and its first one without a gap."""
    now: tuple[int, int] = client.time()
    at = now[0] * 1000 + now[1] // 1000
    client.hset(keys.LEASES_WATCHED, mapping={"at": at - round(ago * 1000), "since": at - round(since * 1000)})


def test_after_a_gap_nothing_is_taken_back_for_a_while(client: redis.Redis, leader: Leader) -> None:
    """Nobody could renew while Redis was away: who lives has the grace to do so."""
    run = delivered(client, "lives")
    first = reclaim(leader, grace=60)
    assert (first.requeued, 59_000 < first.wait <= 60_000) == (0, True)
    assert record(client, run).state is State.RUNNING
    looked(client, ago=61, since=3600)
    assert reclaim(leader, outage=60, grace=60).requeued == 0, "a gap, whatever was before it"
    looked(client, ago=50, since=3600)
    assert reclaim(leader, outage=60, grace=60).requeued == 1


def test_a_grace_runs_from_the_first_look_and_is_not_begun_anew(client: redis.Redis, leader: Leader) -> None:
    delivered(client, "lost")
    looked(client, ago=1, since=50)
    waiting_still = reclaim(leader, outage=10, grace=60)
    assert (waiting_still.requeued, 0 < waiting_still.wait <= 10_000) == (0, True)
    looked(client, ago=1, since=60)
    assert reclaim(leader, outage=10, grace=60).requeued == 1


def test_a_first_leader_without_leases_waits_for_none(client: redis.Redis, leader: Leader) -> None:
    reclaim(leader, grace=60)
    delivered(client, "lost")
    assert reclaim(leader, grace=60).requeued == 1


def test_a_clock_set_back_makes_no_grace_endless(client: redis.Redis, leader: Leader) -> None:
    delivered(client, "lost")
    looked(client, ago=-3600, since=-3600)
    assert 59_000 < reclaim(leader, grace=60).wait <= 60_000


def test_they_go_before_what_waits_and_keep_their_order(client: redis.Redis, leader: Leader) -> None:
    ids = [delivered(client, "lost", sequence=n) for n in range(9, 12)]
    behind = Submission(task="shop.report", queue="default", priority=3)
    submit(client, behind, DeliverySettings())
    reclaim(leader)
    assert waiting(client) == [*ids, behind.id]


def test_batches_are_bounded_and_keep_the_order_too(client: redis.Redis, leader: Leader) -> None:
    ids = [delivered(client, "lost", sequence=n) for n in range(5)]
    first = reclaim(leader, batch=3)
    assert (first.requeued, first.wait) == (3, 0)
    assert client.zcard(keys.LEASES) == 1, "the lease entry goes only when nothing of the owner is left"
    assert reclaim(leader, batch=3) == Counts(2, 0, 0, 0, -1)
    assert waiting(client) == ids


def test_an_owner_whose_token_begins_like_anothers_keeps_its_own(client: redis.Redis, leader: Leader) -> None:
    delivered(client, "a")
    held = delivered(client, "ab", ended=False)
    assert reclaim(leader).requeued == 1
    assert record(client, held).state is State.RUNNING


def test_past_its_deliveries_a_run_is_a_dead_letter(client: redis.Redis, leader: Leader) -> None:
    poison = delivered(client, "lost", deliveries=5)

    assert reclaim(leader).dead == 1

    letter = client.hgetall(keys.DEAD_LETTER + poison)
    assert (letter[b"reason"], letter[b"deliveries"], letter[b"task"]) == (b"max_deliveries", b"5", b"shop.report")
    assert letter[b"list"] == LIST.encode()
    assert json.loads(letter[b"message"])["headers"]["id"] == poison
    assert client.zrange(keys.DEAD, 0, -1) == [poison.encode()]
    found = record(client, poison)
    assert found.state is State.DEAD
    assert found.reason == "max_deliveries: its worker was lost at delivery 5 of 5"
    assert client.llen(LIST) == client.hlen(UNACKED) == 0
    assert client.ttl(keys.RUN + poison) == -1, "as long as the dead letter is there, so is its record"


def test_what_waited_behind_a_poison_keeps_its_deliveries(client: redis.Redis, leader: Leader) -> None:
    """A worker of two slots held five: the first two may have begun, and one more had, as its record says."""
    runs = [delivered(client, "lost~2", deliveries=5, sequence=n) for n in range(9, 14)]
    for run in (*runs[1:3], runs[4]):
        client.hset(keys.RUN + run, "state", State.QUEUED)
    counts = reclaim(leader)
    assert (counts.dead, counts.requeued) == (3, 2)
    assert [record(client, run).state for run in runs[:2]] == [State.DEAD] * 2
    assert record(client, runs[3]).state is State.DEAD
    assert [record(client, run).deliveries for run in (runs[2], runs[4])] == [4, 4]
    assert waiting(client) == [runs[2], runs[4]]


def test_a_cancelled_one_ends_as_cancelled(client: redis.Redis, leader: Leader) -> None:
    run = delivered(client, "lost")
    client.hset(keys.RUN + run, "cancel", 1)
    assert reclaim(leader).cancelled == 1
    assert record(client, run).state is State.CANCELLED
    assert client.llen(LIST) == client.hlen(UNACKED) == 0
    assert json.loads(client.get(keys.RESULT + run) or b"")["status"] == "REVOKED"
    assert 0 < client.ttl(keys.RUN + run) <= 60


def test_a_final_one_is_dropped(client: redis.Redis, leader: Leader) -> None:
    run = delivered(client, "lost")
    client.hset(keys.RUN + run, "state", State.SUCCEEDED)
    assert reclaim(leader).dropped == 1
    assert client.llen(LIST) == client.hlen(UNACKED) == 0


def test_a_message_nobody_can_read_is_a_dead_letter(client: redis.Redis, leader: Leader) -> None:
    client.hset(UNACKED, f"lost|1|{LIST}", b"\x80 not json")
    client.zadd(keys.LEASES, {"default/lost": 1})
    assert reclaim(leader).dead == 1
    id = hashlib.sha1(b"\x80 not json", usedforsecurity=False).hexdigest()
    assert client.zrange(keys.DEAD, 0, -1) == [id.encode()]
    assert client.hget(keys.DEAD_LETTER + id, "reason") == b"undecodable"
    assert client.hget(keys.DEAD_LETTER + id, "message") == b"\x80 not json"


def test_dead_letters_are_bounded_oldest_first(client: redis.Redis, leader: Leader) -> None:
    dead = [delivered(client, "lost", deliveries=5, sequence=n) for n in (3, 2, 1)]
    assert reclaim(leader, dead_limit=2).dead == 3
    assert client.zcard(keys.DEAD) == 2
    gone = next(id for id in dead if client.zscore(keys.DEAD, id) is None)
    assert not client.exists(keys.DEAD_LETTER + gone)
    assert 0 < client.ttl(keys.RUN + gone) <= 60


def test_a_stock_result_says_why(client: redis.Redis, leader: Leader) -> None:
    run = delivered(client, "lost", deliveries=5)
    reclaim(leader)
    port = client.connection_pool.connection_kwargs["port"]
    stock = Celery("stock", backend=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    with stock, pytest.raises(DeadLetterError, match="max_deliveries"):
        stock.AsyncResult(run).get(timeout=5)


def test_only_ends_that_somebody_waits_for_are_told(client: redis.Redis, leader: Leader) -> None:
    """The script knows a lonely run by how its body ends, at each of three alignments, ours and stock Celery's."""
    port = client.connection_pool.connection_kwargs["port"]
    with Celery("stock", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False) as stock:
        for n in range(3):
            submit(client, Submission(task="t", queue="q", priority=0, args=["x" * n]), DeliverySettings())
            stock.send_task("t", args=["x" * n], queue="q")
        after = stock.signature("t", args=['[{"callbacks": null}]'])
        linked = stock.send_task("t", queue="q", link=after).id
    for n, message in enumerate(client.lrange("q", 0, -1)):
        client.hset(UNACKED, f"lost|{n}|q", message)
        client.hset(keys.RUN + json.loads(message)["headers"]["id"], mapping={"state": "running", "cancel": 1})
    client.zadd(keys.LEASES, {"default/lost": 1})

    assert reclaim(leader).cancelled == 7
    assert [json.loads(end)["id"] for end in client.lrange(keys.ENDED, 0, -1)] == [linked]
