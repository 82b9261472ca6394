"""Dead letters: listed, shown, replayed and purged."""

import base64
import json
from typing import Any

import pytest
import redis
import redis.asyncio
from celery import Celery

from celeriac import dead_letters, keys
from celeriac.dead_letters import Filter, Reason
from celeriac.errors import ConflictError, InvalidError, NotFoundError
from celeriac.leader import Leader
from celeriac.record import Record
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit
from celeriac.testing import Server

KEEP = 60


def die(client: redis.Redis, leader: Leader, message: bytes, list_: str) -> None:
    """Let a worker be lost that held *message*, taken from *list_*, where no loss at all is allowed."""
    client.hset(keys.UNACKED + "group", f"owner|1|{list_}", message)
    client.zadd(keys.LEASES, {"group/owner": 1})
    assert leader.call("reclaim", [keys.LEASES, keys.LEASES_WATCHED], [10, 0, 1000, KEEP, 0, 0])[1] == 1


def dead(client: redis.Redis, leader: Leader, *, task: str = "shop.report", queue: str = "default") -> str:
    run = Submission(task=task, queue=queue, priority=4, args=[2026], kwargs={"full": True})
    submit(client, run, DeliverySettings())
    client.hset(keys.RUN + run.id, "deliveries", 1)
    list_ = keys.queue_list(queue, 4)
    message = client.rpop(list_)
    assert isinstance(message, bytes)
    die(client, leader, message, list_)
    return run.id


def record(client: redis.Redis, id: str) -> Record:
    found = Record.read(id, client.hgetall(keys.RUN + id))
    assert found is not None
    return found


def sent(client: redis.Redis, list_: str) -> tuple[dict[str, Any], Any]:
    """Headers and body of the one message in *list_*."""
    (text,) = client.lrange(list_, 0, -1)
    envelope = json.loads(text)
    return envelope["headers"], json.loads(base64.b64decode(envelope["body"]))


async def test_pages_go_from_the_latest_to_the_first(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis
) -> None:
    ids = [dead(client, leader) for _ in range(5)]
    client.zadd(keys.DEAD, {id: 1000 + i // 2 for i, id in enumerate(ids)})  # some died in the same millisecond
    seen: list[str] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        letters, after = await dead_letters.page(connection, Filter(), limit=2, after=after)
        seen += [letter.id for letter in letters]
        pages += 1
    assert sorted(seen) == sorted(ids)
    assert pages == 3
    assert seen[-1] in ids[:2]


async def test_filters(client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis) -> None:
    report, thumbnail = dead(client, leader), dead(client, leader, task="shop.thumbnail", queue="io")

    async def ids(filter_: Filter) -> set[str]:
        return {letter.id async for letter in dead_letters.every(connection, filter_)}

    assert await ids(Filter(task="shop.report")) == {report}
    assert await ids(Filter(queue="io")) == {thumbnail}
    assert await ids(Filter(reason=Reason.MAX_DELIVERIES)) == {report, thumbnail}
    assert await ids(Filter(reason=Reason.MEMORY)) == set()
    assert await ids(Filter(older_than=3600)) == set()


async def test_a_letter_is_shown_with_its_arguments(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis
) -> None:
    id = dead(client, leader)
    letter, contents, _ = await dead_letters.show(connection, id)
    assert (letter.task, letter.queue, letter.deliveries) == ("shop.report", "default", 1)
    assert letter.error == "its worker was lost at delivery 1 of 0"
    assert contents is not None
    assert (contents.args, contents.kwargs) == ([2026], {"full": True})


async def test_a_replay_runs_it_again_as_it_was(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis
) -> None:
    id = dead(client, leader)
    await dead_letters.replay(connection, id)
    found = record(client, id)
    assert (found.state, found.deliveries, found.reason, found.finished) == (State.QUEUED, 0, None, None)
    assert sent(client, keys.queue_list("default", 4))[1][:2] == [[2026], {"full": True}]
    assert not client.exists(keys.DEAD, keys.DEAD_LETTER + id, keys.RESULT + id)
    with pytest.raises(NotFoundError):
        await dead_letters.replay(connection, id)


async def test_a_replay_with_other_arguments(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis
) -> None:
    id = dead(client, leader)
    await dead_letters.replay(connection, id, kwargs={"full": False})
    headers, body = sent(client, keys.queue_list("default", 4))
    assert body[:2] == [[2026], {"full": False}]
    assert (headers["id"], headers["kwargsrepr"]) == (id, "{'full': False}")


async def test_callbacks_survive_an_edit(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis, shared_server: Server
) -> None:
    with Celery("stock", broker=shared_server.url, set_as_current=False) as stock:
        after = stock.signature("shop.mail", args=[1])
        sent_run = stock.send_task("shop.report", args=[b"\xff"], queue="io", link=after)
    message = client.rpop("io")
    assert isinstance(message, bytes)
    die(client, leader, message, "io")
    await dead_letters.replay(connection, sent_run.id, kwargs={"n": 1})
    _, (args, kwargs, embed) = sent(client, "io")
    assert (args, kwargs) == ([{"__type__": "base64", "__value__": "/w=="}], {"n": 1})
    assert embed["callbacks"][0]["task"] == "shop.mail"
    assert record(client, sent_run.id).state is State.QUEUED, "the record of a run that had none is made"


async def test_what_nobody_can_read_can_only_be_removed(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis
) -> None:
    die(client, leader, b"\x80", "default")
    (letter,) = (await dead_letters.page(connection, Filter(), limit=10)).letters
    assert (letter.reason, (await dead_letters.show(connection, letter.id)).contents) == (Reason.UNDECODABLE, None)
    for args in (None, [1]):
        with pytest.raises(InvalidError, match="only be removed"):
            await dead_letters.replay(connection, letter.id, args=args)
    await dead_letters.remove(connection, letter.id, keep_seconds=KEEP)
    assert not client.exists(keys.DEAD, keys.DEAD_LETTER + letter.id)
    with pytest.raises(NotFoundError):
        await dead_letters.remove(connection, letter.id, keep_seconds=KEEP)


async def test_a_run_that_went_on_by_other_means_is_not_sent_twice(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis
) -> None:
    id = dead(client, leader)
    client.hset(keys.RUN + id, "state", State.SUCCEEDED)
    with pytest.raises(ConflictError, match="succeeded"):
        await dead_letters.replay(connection, id)
    assert client.llen(keys.queue_list("default", 4)) == 0


async def test_a_purge_takes_what_matches(
    client: redis.Redis, leader: Leader, connection: redis.asyncio.Redis
) -> None:
    kept = dead(client, leader, task="shop.thumbnail")
    gone = [dead(client, leader) for _ in range(3)]
    assert await dead_letters.purge(connection, Filter(task="shop.report"), keep_seconds=KEEP) == 3
    assert client.zrange(keys.DEAD, 0, -1) == [kept.encode()]
    assert all(0 < client.ttl(keys.RUN + id) <= KEEP for id in gone)
    assert client.ttl(keys.RUN + kept) == -1


async def test_a_cursor_that_is_none(connection: redis.asyncio.Redis) -> None:
    with pytest.raises(InvalidError, match="no cursor"):
        await dead_letters.page(connection, Filter(), limit=1, after="x:y")
