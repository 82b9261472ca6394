"""Cancel as a fact in Redis. What workers make of it is in the tests of delivery."""

import asyncio
import json
import time

import pytest
import redis
import redis.asyncio

from celeriac import cancel, keys
from celeriac.cancel import Cancelled, Filter, Outcome
from celeriac.errors import ConflictError, InvalidError, NotFoundError
from celeriac.record import Record
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit

KEEP = 60


def submitted(client: redis.Redis, *, task: str = "shop.report", queue: str = "default", delay: float = 0) -> str:
    run = Submission(task=task, queue=queue, priority=0, due=time.time() + delay if delay else None)
    submit(client, run, DeliverySettings())
    return run.id


def hold(client: redis.Redis, id: str, state: State = State.RUNNING) -> None:
    """Make it look like one that a worker of the group ``io`` holds."""
    client.hset(keys.RUN + id, mapping={"state": state, "owner": "io/abc"})


def record(client: redis.Redis, id: str) -> Record:
    found = Record.read(id, client.hgetall(keys.RUN + id))
    assert found is not None
    return found


async def one(connection: redis.asyncio.Redis, id: str, *, hard: bool = False) -> Outcome:
    return await cancel.cancel(connection, id, reason="by a test", hard=hard, keep_seconds=KEEP)


async def matching(connection: redis.asyncio.Redis, filter_: Filter) -> Cancelled:
    return await cancel.cancel_matching(connection, filter_, reason="by a test", hard=False, keep_seconds=KEEP)


async def test_a_queued_run_is_cancelled_at_once(client: redis.Redis, connection: redis.asyncio.Redis) -> None:
    run = submitted(client)
    assert await one(connection, run) is Outcome.CANCELLED
    found = record(client, run)
    assert (found.state, found.reason) == (State.CANCELLED, "by a test")
    assert found.cancel is not None
    assert client.ttl(keys.RUN + run) == -1, "its message is still in the list: forgotten, it would run"
    assert json.loads(client.get(keys.RESULT + run) or b"")["status"] == "REVOKED"


async def test_a_delayed_run_leaves_nothing_behind(client: redis.Redis, connection: redis.asyncio.Redis) -> None:
    run = submitted(client, delay=60)
    assert await one(connection, run) is Outcome.CANCELLED
    assert client.zcard(keys.DELAYED) == 0
    assert not client.hexists(keys.RUN + run, "message")
    assert 0 < client.ttl(keys.RUN + run) <= KEEP


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
async def test_one_that_a_worker_holds_is_asked_to_stop(
    client: redis.Redis, connection: redis.asyncio.Redis, state: State
) -> None:
    run = submitted(client)
    hold(client, run, state)
    async with connection.pubsub() as heard:
        await heard.subscribe(keys.CANCELS + "io")
        await heard.get_message(timeout=5)
        assert await one(connection, run) is Outcome.REQUESTED
        assert await one(connection, run, hard=True) is Outcome.REQUESTED
        messages = [await heard.get_message(timeout=5) for _ in range(2)]
    assert [message and message["data"] for message in messages] == [f"soft {run}".encode(), f"hard {run}".encode()]
    found = record(client, run)
    assert (found.state, found.cancel_hard) == (state, True)
    assert found.cancel is not None


async def test_unknown_and_ended_runs_are_errors(client: redis.Redis, connection: redis.asyncio.Redis) -> None:
    with pytest.raises(NotFoundError, match="no run 'nobody'"):
        await one(connection, "nobody")
    run = submitted(client)
    await one(connection, run)
    with pytest.raises(ConflictError, match="ended as cancelled"):
        await one(connection, run)


async def test_a_filter_takes_what_it_names(client: redis.Redis, connection: redis.asyncio.Redis) -> None:
    wanted = submitted(client, queue="io")
    elsewhere, other = submitted(client), submitted(client, task="shop.thumbnail", queue="io")
    delayed, held = submitted(client, queue="io", delay=60), submitted(client, queue="io")
    hold(client, held)

    assert await matching(connection, Filter(task="shop.report", queue="io", states=[State.QUEUED])) == (1, 0)
    assert record(client, wanted).state is State.CANCELLED
    assert {record(client, id).state for id in (elsewhere, other)} == {State.QUEUED}
    assert await matching(connection, Filter(task="shop.report", queue="io")) == (1, 1)
    assert record(client, delayed).state is State.CANCELLED
    assert await matching(connection, Filter(older_than=30)) == (0, 0)
    assert await matching(connection, Filter()) == (2, 1)


def test_final_states_cannot_be_asked_for() -> None:
    with pytest.raises(InvalidError, match="succeeded"):
        Filter(states=[State.QUEUED, State.SUCCEEDED])


async def test_ten_thousand_queued_runs_in_under_a_second(
    client: redis.Redis, connection: redis.asyncio.Redis
) -> None:
    for _ in range(10_000):
        submitted(client)
    before, start = busy(client), time.monotonic()
    counts = await asyncio.wait_for(matching(connection, Filter(task="shop.report", states=[State.QUEUED])), 60)
    took, worked = time.monotonic() - start, busy(client) - before
    print(f"10,000 queued runs cancelled in {took:.2f} s, of which Redis worked {worked:.2f} s")
    assert counts == (10_000, 0)
    assert worked < 1, "Redis' own processor time, since this machine may be doing other things"


def busy(client: redis.Redis) -> float:
    """Processor seconds that the server has used."""
    info = client.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
