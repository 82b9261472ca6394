"""The duty of firing, turn by turn, against a real server whose clock alone counts."""

import base64
import json
from typing import Any

import pytest
import redis

from celeriac import keys
from celeriac.errors import ConflictError, FencedError
from celeriac.leader import Leader
from celeriac.record import Record
from celeriac.schedule import firing
from celeriac.schedule.fault import read
from celeriac.schedule.firing import Target
from celeriac.schedule.store import Schedules
from celeriac.schedule.stored import Event
from celeriac.states import State
from celeriac.testing import until
from celeriac_scheduler.fire import Fire

MINUTE = 60_000


async def made(schedules: Schedules, client: redis.Redis, late: int = 100, **fields: Any) -> int:
    """Make schedule ``s`` of every minute, whose fire was due *late* ms ago; return that fire."""
    definition = read({"task": "shop.report", "when": {"kind": "interval", "every_seconds": 60}, **fields})
    stored = await schedules.create("s", definition, (definition.args, definition.kwargs))
    assert stored.next is not None
    anchor = stored.next - MINUTE
    fire = await schedules.now() - late
    # As if made a while ago: the anchor moves, and with it all fires.
    moved = definition.model_dump(mode="json")
    moved["when"]["anchor"] = (anchor - (stored.next - fire)) / 1000
    text = read(moved).model_dump_json()
    client.hset(keys.SCHEDULE + "s", mapping={"definition": text, "next": fire})
    client.zadd(keys.SCHEDULES, {"s": fire})
    return fire


def runs(client: redis.Redis) -> list[Record]:
    """Records of all runs of schedule ``s``, oldest fire first."""
    names: Any = client.keys(keys.RUN + "*")
    found = [Record.read(key.decode().removeprefix(keys.RUN), client.hgetall(key)) for key in names]
    return sorted((record for record in found if record), key=lambda record: record.fire or 0)


def outcomes(events: list[Event]) -> list[str]:
    return [event.outcome for event in reversed(events)]


def end(client: redis.Redis, run: Record, state: State = State.SUCCEEDED) -> None:
    client.hset(keys.RUN + run.id, "state", state)


async def test_a_fire_submits_its_run_and_advances(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    at = await made(schedules, client, kwargs={"year": 2026}, priority=6, expires_seconds=30)
    wait = fire.turn(leader)
    (run,) = runs(client)
    assert (run.task, run.queue, run.priority, run.state) == ("shop.report", "default", 6, State.QUEUED)
    assert run.schedule == "s"
    assert run.fire == at / 1000
    assert run.expires is not None
    assert 25 < run.expires - run.created <= 30
    message = json.loads(client.lindex(keys.queue_list("default", 6), 0) or b"")
    assert message["headers"]["id"] == run.id
    assert message["headers"]["celery_beat_task"] is True
    assert message["headers"]["schedule"] == "s"
    assert json.loads(base64.b64decode(message["body"]))[1] == {"year": 2026}

    stored = await schedules.get("s")
    assert (stored.next, stored.last_run, stored.last_fire, stored.fires) == (at + MINUTE, run.id, at, 1)
    assert stored.version == 1, "a fire is no change that anybody made"
    (event,) = await schedules.history("s")
    assert (event.outcome, event.why, event.run, event.at) == ("run", "on time", run.id, at)
    assert 0 < wait <= 1
    fire.turn(leader)
    assert len(runs(client)) == 1


async def test_a_lost_answer_doubles_nothing(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    """The leader crashed, or its connection did, after the script: the next leader decides again."""
    at = await made(schedules, client)
    fire.turn(leader)
    client.hset(keys.SCHEDULE + "s", "next", at)
    client.zadd(keys.SCHEDULES, {"s": at})
    fire.turn(leader)
    assert len(runs(client)) == 1
    assert client.llen(keys.queue_list("default", 3)) == 1
    assert (await schedules.get("s")).fires == len(await schedules.history("s")) == 1


async def test_a_decision_about_another_state_is_refused(
    schedules: Schedules, client: redis.Redis, leader: Leader
) -> None:
    """Two leaders' decisions about one fire, and one about a schedule that was edited since."""
    at = await made(schedules, client)
    stored = await schedules.get("s")
    steps = [
        {**firing.replan("s", stored.definition, version, pending, at + MINUTE), "notes": []}
        for version, pending in (("1", at), ("1", at), ("2", at + MINUTE))
    ]
    _, (_, *arguments) = firing.call("", steps, 60)
    assert leader.call("schedule_fire", [], arguments) == [[0, 0, 0], [-1, 0, 0], [-1, 0, 0]]


async def test_a_fenced_leader_changes_nothing(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    await made(schedules, client)
    fire.turn(leader)
    before = {key: client.dump(key) for key in client.keys("*")}
    client.set(keys.LEADER, "999:another")
    before[keys.LEADER.encode()] = client.dump(keys.LEADER)
    client.zadd(keys.SCHEDULES, {"s": 1})
    before[keys.SCHEDULES.encode()] = client.dump(keys.SCHEDULES)
    with pytest.raises(FencedError):
        fire.turn(leader)
    assert {key: client.dump(key) for key in client.keys("*")} == before


@pytest.mark.parametrize(
    ("policy", "fires", "missed"),
    [({"catch_up": "none"}, 0, 5), ({"catch_up": "last"}, 1, 4), ({"catch_up": "all"}, 5, 0),
     ({"catch_up": "all", "catch_up_limit": 2}, 2, 3)],
)  # fmt: skip
async def test_catch_up_after_an_outage(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader, policy: Any, fires: int, missed: int
) -> None:
    at = await made(schedules, client, late=4 * MINUTE + 30_000, **policy)
    fire.turn(leader)
    found = runs(client)
    assert len(found) == fires
    assert [round((run.fire or 0) * 1000) for run in found] == [at + n * MINUTE for n in range(5)][5 - fires :]
    history = await schedules.history("s")
    assert [event.count for event in history if event.outcome == "missed"] == ([missed] if missed else [])
    assert {event.why for event in history if event.outcome == "run"} <= {"made up"}
    assert (await schedules.get("s")).next == at + 5 * MINUTE


async def test_a_pause_is_an_outage_of_ones_own(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    at = await made(schedules, client, late=2 * MINUTE + 30_000, catch_up="all")
    await schedules.pause("s", "maintenance")
    fire.turn(leader)
    assert runs(client) == []
    await schedules.resume("s")
    fire.turn(leader)
    assert [run.fire for run in runs(client)] == [(at + n * MINUTE) / 1000 for n in range(3)]


async def test_overlap_allow(schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader) -> None:
    await made(schedules, client, late=2 * MINUTE + 30_000, catch_up="all", overlap="allow")
    fire.turn(leader)
    assert len(runs(client)) == 3


async def test_overlap_skip(schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader) -> None:
    at = await made(schedules, client, late=2 * MINUTE + 30_000, catch_up="all", overlap="skip")
    fire.turn(leader)
    (run,) = runs(client)
    assert run.fire == at / 1000
    assert outcomes(await schedules.history("s")) == ["run", "left out", "left out"]
    assert run.id in ((await schedules.history("s"))[0].because or "")


async def test_overlap_queue_one(schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader) -> None:
    at = await made(schedules, client, late=2 * MINUTE + 30_000, catch_up="all", overlap="queue_one")
    fire.turn(leader)
    (first,) = runs(client)
    assert outcomes(await schedules.history("s")) == ["run", "held", "left out"]
    assert (await schedules.get("s")).held == at + MINUTE
    fire.turn(leader)
    assert len(runs(client)) == 1, "held while the first is not final"
    end(client, first)
    fire.turn(leader)
    assert [run.fire for run in runs(client)] == [at / 1000, (at + MINUTE) / 1000]
    assert (await schedules.get("s")).held is None
    assert client.scard(keys.SCHEDULES_HELD) == 0
    fire.turn(leader)
    assert len(runs(client)) == 2


async def test_overlap_cancel_old_that_waits(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    """A run that no worker has is cancelled at once: only the newest is left."""
    at = await made(schedules, client, late=2 * MINUTE + 30_000, catch_up="all", overlap="cancel_old")
    fire.turn(leader)
    assert [run.state for run in runs(client)] == [State.CANCELLED, State.CANCELLED, State.QUEUED]
    assert runs(client)[-1].fire == (at + 2 * MINUTE) / 1000


async def test_overlap_cancel_old_that_runs(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    """A running one is asked to stop; of the fires that wait for it the newest stays."""
    at = await made(schedules, client, overlap="cancel_old", catch_up="all")
    fire.turn(leader)
    (first,) = runs(client)
    client.hset(keys.RUN + first.id, mapping={"state": "running", "owner": "default/w1"})
    for n in (1, 2):
        client.hset(keys.SCHEDULE + "s", "next", at + (n - 3) * MINUTE)  # as if two more were due
        client.zadd(keys.SCHEDULES, {"s": 1})
    fire.turn(leader)
    assert client.hget(keys.RUN + first.id, "cancel") is not None
    held = (await schedules.get("s")).held
    assert held is not None
    assert len(runs(client)) == 1
    end(client, first, State.CANCELLED)
    fire.turn(leader)
    assert {run.fire for run in runs(client)} == {at / 1000, held / 1000}


async def test_a_run_asked_for(schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader) -> None:
    at = await made(schedules, client, late=-MINUTE, overlap="skip")
    id = await schedules.run_now("s", Target("io", 0), key="k")
    assert id == await schedules.run_now("s", Target("io", 0), key="k")
    (run,) = runs(client)
    assert (run.id, run.queue, run.priority) == (id, "io", 0)
    stored = await schedules.get("s")
    assert stored.next == at
    with pytest.raises(ConflictError, match="not final"):
        await schedules.run_now("s", Target("io", 0))
    assert await schedules.run_now("s", Target("io", 0), anyway=True)
    assert len(runs(client)) == 2


async def test_the_end_of_a_schedule(schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader) -> None:
    at = await schedules.now() + 300
    when = {"kind": "once", "at": at / 1000}
    await schedules.create("once", read({"task": "t", "when": when}), ([], {}))
    fire.turn(leader)
    assert runs(client) == []
    until(lambda: fire.turn(leader) and runs(client))
    stored = await schedules.get("once")
    assert (stored.fires, stored.last_fire, stored.next) == (1, at, None)
    assert client.zcard(keys.SCHEDULES) == 0


async def test_what_cannot_be_worked_out_is_paused_and_holds_up_nobody(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    await made(schedules, client)
    await schedules.create("broken", read({"task": "t", "when": {"kind": "cron", "cron": "@daily"}}), ([], {}))
    text: Any = client.hget(keys.SCHEDULE + "broken", "definition")
    client.hset(keys.SCHEDULE + "broken", "definition", text.replace(b"@daily", b"@dayly"))
    client.zadd(keys.SCHEDULES, {"broken": 1})
    fire.turn(leader)
    assert len(runs(client)) == 1
    paused = client.hget(keys.SCHEDULE + "broken", "paused_reason") or b""
    assert b"cannot fire: ValidationError" in paused
    assert client.zscore(keys.SCHEDULES, "broken") is None
    assert [stored.id for stored in (await schedules.page(None, 10)).schedules] == ["s"]
    with pytest.raises(ConflictError, match="cannot be read"):
        await schedules.get("broken")


async def test_what_redis_refuses_holds_up_nobody(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    """A queue's list that is none: its schedule is paused, and the others of the same script fire."""
    await made(schedules, client, queue="io")
    await schedules.create("broken", read({"task": "t", "when": {"kind": "cron", "cron": "@daily"}}), ([], {}))
    now = await schedules.now()
    client.hset(keys.SCHEDULE + "broken", "next", now - now % 86_400_000)
    client.zadd(keys.SCHEDULES, {"broken": 1})
    client.set(keys.queue_list("default", 3), "not a list")
    fire.turn(leader)
    assert client.llen(keys.queue_list("io", 3)) == 1
    assert b"cannot fire: ResponseError: WRONGTYPE" in (client.hget(keys.SCHEDULE + "broken", "paused_reason") or b"")
    assert (await schedules.get("s")).paused is None


async def test_an_entry_without_a_schedule_goes(client: redis.Redis, fire: Fire, leader: Leader) -> None:
    client.zadd(keys.SCHEDULES, {"ghost": 1})
    client.sadd(keys.SCHEDULES_HELD, "ghost")
    fire.turn(leader)
    assert client.zcard(keys.SCHEDULES) == client.scard(keys.SCHEDULES_HELD) == 0


async def test_new_time_zone_rules_plan_anew(
    schedules: Schedules, client: redis.Redis, fire: Fire, leader: Leader
) -> None:
    definition = read({"task": "t", "when": {"kind": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin"}})
    stored = await schedules.create("s", definition, ([], {}))
    assert stored.next is not None
    old = stored.next + 3_600_000
    client.hset(keys.SCHEDULE + "s", "next", old)
    client.zadd(keys.SCHEDULES, {"s": old})
    client.set(keys.SCHEDULE_RULES, "2019.1")
    fire.turn(leader)
    assert (await schedules.get("s")).next == stored.next == client.zscore(keys.SCHEDULES, "s")
    assert client.get(keys.SCHEDULE_RULES) != b"2019.1"
    assert runs(client) == []
