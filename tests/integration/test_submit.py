import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from celeriac import keys, scripts
from celeriac.record import Record, is_unknown
from celeriac.redis import connect, connect_async, is_unreachable
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit, submit_async
from celeriac.testing import SentinelGroup, Server

DELIVERY = DeliverySettings()


def test_record_index_and_message_are_written_together(client: redis.Redis) -> None:
    run = Submission(task="shop.report", queue="default", priority=4, args=[2026], fields={"request_id": "r-1"})
    assert submit(client, run, DELIVERY).created

    record = Record.read(run.id, client.hgetall(keys.RUN + run.id))
    assert record is not None
    assert (record.state, record.task, record.priority) == (State.QUEUED, "shop.report", 4)
    assert record.request_id == "r-1"
    assert abs(record.created - time.time()) < 5
    assert client.zrange(keys.RUNS + "shop.report", 0, -1) == [run.id.encode()]
    assert client.llen(keys.queue_list("default", 4)) == 1


def test_the_same_id_again_changes_nothing(client: redis.Redis) -> None:
    run = Submission(task="shop.report", queue="default", priority=0)
    submit(client, run, DELIVERY)
    again = submit(client, run, DELIVERY)
    assert (again.created, again.state) == (False, State.QUEUED)
    assert client.llen("default") == 1


def test_a_run_whose_message_is_refused_leaves_no_record(client: redis.Redis) -> None:
    client.set("default", "no list")
    run = Submission(task="shop.report", queue="default", priority=0)
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        submit(client, run, DELIVERY)
    assert client.keys() == [b"default"]


def test_a_late_run_waits_in_the_delayed_set(client: redis.Redis) -> None:
    due = time.time() + 3600
    run = Submission(task="shop.report", queue="default", priority=0, due=due)
    assert submit(client, run, DELIVERY).state is State.SCHEDULED
    assert client.zscore(keys.DELAYED, run.id) == pytest.approx(due * 1000, abs=1)
    assert client.llen("default") == 0
    assert client.hexists(keys.RUN + run.id, "message")


def test_the_message_is_what_stock_celery_sends(client: redis.Redis, shared_server: Server) -> None:
    run = Submission(task="shop.report", queue="default", priority=4, args=[1], kwargs={"year": "é"})
    submit(client, run, DELIVERY)
    with Celery("stock", broker=shared_server.url, set_as_current=False) as stock:
        stock.send_task("shop.report", args=[1], kwargs={"year": "é"}, priority=4, queue="default", task_id=run.id)
    theirs, ours = (json.loads(text) for text in client.lrange(keys.queue_list("default", 4), 0, -1))
    assert ours["body"] == theirs["body"]
    for message in (ours, theirs):
        message["headers"]["origin"] = message["properties"]["reply_to"] = None
        message["headers"]["ignore_result"] = bool(message["headers"]["ignore_result"])
        message["properties"]["delivery_tag"] = None
    assert ours == theirs


def test_a_script_the_server_forgot_is_sent_again(client: redis.Redis) -> None:
    client.script_flush()
    assert submit(client, Submission(task="t", queue="default", priority=0), DELIVERY).created
    assert client.script_exists(scripts.script("submit").sha) == [True]


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    folder: Path = tmp_path_factory.mktemp("sentinel")
    with SentinelGroup(folder, password="data-secret", sentinel_password="sentinel-secret") as group:
        yield group


async def test_submissions_go_on_after_the_master_was_killed(group: SentinelGroup) -> None:
    settings = RedisSettings.model_validate(
        {"url": group.url, "password": group.password, "sentinel_password": group.sentinel_password}
    )
    with connect(settings) as client:
        assert submit(client, Submission(task="t", queue="default", priority=0), DELIVERY).created
    client_async = connect_async(settings)
    group.master().kill()
    deadline = time.monotonic() + 30
    while True:
        try:
            accepted = await submit_async(client_async, Submission(task="t", queue="default", priority=0), DELIVERY)
            break
        except redis.RedisError as error:
            assert is_unreachable(error), error
            assert time.monotonic() < deadline
    assert accepted.created
    await client_async.aclose()


@pytest.mark.parametrize("refusal", ["no replicas", "replica", "replica meanwhile"])
def test_a_refused_transaction_says_to_come_again(server: Server, refusal: str) -> None:
    """redis-py wraps what the server says of a command in a transaction, each kind in its own way."""
    with server.client() as client, server.client() as other:
        if refusal == "no replicas":
            client.config_set("min-replicas-to-write", 1)
        elif refusal == "replica":
            client.replicaof("127.0.0.1", server.port)
        else:
            client.execute_command("CLIENT", "PAUSE", 2_000, "WRITE")
            threading.Timer(0.5, other.replicaof, ("127.0.0.1", server.port)).start()
        with pytest.raises(redis.RedisError) as refused:
            client.pipeline(transaction=True).hdel("k", "").exists("k").execute()
    assert is_unreachable(refused.value), refused.value


async def test_a_refused_transaction_of_asyncio_does_too(server: Server) -> None:
    with server.client() as client:
        client.config_set("min-replicas-to-write", 1)
    asynchronous = connect_async(RedisSettings(url=server.url))
    with pytest.raises(redis.RedisError) as refused:
        await is_unknown(asynchronous, "k")
    await asynchronous.aclose()
    assert is_unreachable(refused.value), refused.value
