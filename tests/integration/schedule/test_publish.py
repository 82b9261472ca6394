"""Schedules of the code: they come with it, and go with it."""

from typing import Any

import pytest
import redis
from celery import Celery

from celeriac import keys
from celeriac.schedule.code import declared
from celeriac.schedule.fault import read
from celeriac.schedule.publish import Published, is_published, publish
from celeriac.schedule.store import OwnedByCodeError, Schedules


def code(client: redis.Redis, group: str = "default", **entries: Any) -> Published:
    app = Celery("test", set_as_current=False)
    app.conf.beat_schedule = entries
    return publish(client, group, declared(app), "UTC")


HOURLY = {"task": "shop.report", "schedule": 3600.0, "args": (2026,)}


async def test_entries_come_and_go_with_the_code(schedules: Schedules, client: redis.Redis) -> None:
    assert code(client, a=HOURLY, b=HOURLY).written == ["a", "b"]
    a = await schedules.get("a")
    assert (a.source, a.definition.task, a.definition.args) == ("code", "shop.report", [2026])
    assert code(client, a=HOURLY) == ([], ["b"], [])
    assert [stored.id for stored in (await schedules.page(None, 10)).schedules] == ["a"]
    assert await schedules.get("a") == a, "an interval goes on over a deployment"
    assert code(client) == ([], ["a"], [])
    assert client.keys("celeriac:schedule*") == []


async def test_an_edit_in_code_is_written(schedules: Schedules, client: redis.Redis) -> None:
    code(client, a=HOURLY)
    before = await schedules.get("a")
    await schedules.pause("a", "maintenance")
    code(client, a={**HOURLY, "options": {"priority": 0}})
    after = await schedules.get("a")
    assert after.definition.priority == 0
    assert after.next == before.next
    assert after.paused_reason == "maintenance", "a pause outlives deployments"


async def test_two_groups_with_the_same_package(schedules: Schedules, client: redis.Redis) -> None:
    code(client, "default", a=HOURLY)
    code(client, "io", a=HOURLY)
    assert code(client, "io").removed == []
    assert (await schedules.get("a")).source == "code"
    assert code(client, "default").removed == ["a"]


async def test_http_stays_and_a_clash_says_so(schedules: Schedules, client: redis.Redis) -> None:
    mine = read({"task": "shop.other", "when": {"kind": "cron", "cron": "@daily"}})
    await schedules.create("a", mine, ([], {}))
    assert code(client, a=HOURLY, b=HOURLY) == (["b"], [], ["a"])
    stored = await schedules.get("a")
    assert (stored.source, stored.clash, stored.definition.task) == ("http", "default", "shop.other")
    assert code(client, b=HOURLY) == ([], [], [])
    assert (await schedules.get("a")).clash is None
    await schedules.delete("a")
    assert code(client, a=HOURLY, b=HOURLY).written == ["a"]


async def test_only_code_changes_what_is_declared_in_code(schedules: Schedules, client: redis.Redis) -> None:
    code(client, a=HOURLY)
    other = read({"task": "shop.other", "when": {"kind": "cron", "cron": "@daily"}})
    for change in (schedules.replace("a", other, ([], {})), schedules.create("a", other, ([], {}))):
        with pytest.raises(OwnedByCodeError, match="declared in code"):
            await change
    with pytest.raises(OwnedByCodeError):
        await schedules.delete("a")


async def test_what_a_group_left_behind_can_be_removed(schedules: Schedules, client: redis.Redis) -> None:
    code(client, "gone", a=HOURLY)
    await schedules.delete("a", anyway=True)
    assert (await schedules.page(None, 10)).schedules == []
    code(client, "gone", a=HOURLY)
    assert (await schedules.get("a")).version == 1


def test_a_server_that_lost_its_data_is_noticed(client: redis.Redis) -> None:
    code(client, a=HOURLY)
    assert is_published(client, "default")
    client.flushall()
    assert not is_published(client, "default")


async def test_a_one_off_that_has_passed_is_left_out(schedules: Schedules, client: redis.Redis) -> None:
    past = {"task": "t", "schedule": {"kind": "once", "at": "2020-01-01T00:00:00Z"}}
    code(client, a=HOURLY)
    assert code(client, a=past) == ([], ["a"], [])
    assert client.zcard(keys.SCHEDULES) == 0
