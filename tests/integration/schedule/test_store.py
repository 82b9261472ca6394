"""Schedules in Redis: made, replaced, paused, removed, each change one script with a version."""

import asyncio
from typing import Any

import pytest
import redis

from celeriac import keys
from celeriac.errors import ConflictError, NotFoundError
from celeriac.schedule.definition import CatchUp, Definition
from celeriac.schedule.fault import InvalidScheduleError, read
from celeriac.schedule.store import Schedules, VersionError

NONE: tuple[list[Any], dict[str, Any]] = ([], {})


def every(seconds: float, **fields: Any) -> Definition:
    return read({"task": "shop.report", "when": {"kind": "interval", "every_seconds": seconds}, **fields})


async def test_made_and_found(schedules: Schedules, client: redis.Redis) -> None:
    before = await schedules.now()
    made = await schedules.create("nightly", every(60, description="the books"), NONE)
    assert (made.version, made.source, made.paused, made.fires) == (1, "http", None, 0)
    assert made.next is not None
    assert 59_000 <= made.next - before <= 62_000
    assert client.zscore(keys.SCHEDULES, "nightly") == made.next
    assert await schedules.get("nightly") == made


async def test_a_taken_name_is_a_conflict(schedules: Schedules) -> None:
    await schedules.create("nightly", every(60), NONE)
    with pytest.raises(ConflictError, match="already"):
        await schedules.create("nightly", every(30), NONE)


@pytest.mark.parametrize("id", ["", " a", "a/b", "a\nb", "x" * 201])
async def test_a_name_that_is_none(schedules: Schedules, id: str) -> None:
    with pytest.raises(InvalidScheduleError) as error:
        await schedules.create(id, every(60), NONE)
    assert error.value.path == "/id"


async def test_a_version_that_is_not_the_stored_one_is_refused(schedules: Schedules) -> None:
    made = await schedules.create("s", every(60), NONE)
    await schedules.replace("s", every(30), NONE, version=made.version)
    with pytest.raises(VersionError) as error:
        await schedules.replace("s", every(20), NONE, version=made.version)
    assert error.value.version == 2
    for change in (schedules.delete, schedules.resume):
        with pytest.raises(VersionError):
            await change("s", version=1)
    with pytest.raises(VersionError):
        await schedules.pause("s", "why", version=1)
    assert (await schedules.get("s")).definition.when.kind == "interval"


async def test_the_same_again_changes_nothing(schedules: Schedules) -> None:
    made = await schedules.create("s", every(60), NONE)
    assert await schedules.replace("s", every(60), NONE) == made


async def test_an_edit_of_anything_but_the_times_keeps_the_next_fire(schedules: Schedules) -> None:
    made = await schedules.create("s", every(60), NONE)
    edited = await schedules.replace("s", every(60, description="now with words"), NONE)
    assert edited.version == 2
    assert edited.next == made.next
    moved = await schedules.replace("s", every(600), NONE)
    assert moved.next is not None
    assert made.next is not None
    assert moved.next > made.next + 400_000


async def test_many_writers_lose_no_edit(schedules: Schedules) -> None:
    await schedules.create("s", every(60), NONE)
    await asyncio.gather(*(schedules.replace("s", every(60, description=str(n)), NONE) for n in range(3)))
    assert (await schedules.get("s")).version == 4


async def test_a_pause_with_its_reason_and_a_resume(schedules: Schedules, client: redis.Redis) -> None:
    made = await schedules.create("s", every(60), NONE)
    paused = await schedules.pause("s", "the printer is on fire")
    assert paused.paused is not None
    assert paused.paused_reason == "the printer is on fire"
    assert client.zscore(keys.SCHEDULES, "s") is None
    assert await schedules.pause("s", "again") == paused
    resumed = await schedules.resume("s")
    assert (resumed.paused, resumed.paused_reason) == (None, None)
    assert resumed.next == made.next
    assert client.zscore(keys.SCHEDULES, "s") == made.next
    assert resumed.version == 3


async def test_a_resume_can_leave_out_what_was_missed(schedules: Schedules, client: redis.Redis) -> None:
    made = await schedules.create("s", every(60, catch_up="all"), NONE)
    await schedules.pause("s", "")
    assert made.next is not None
    client.hset(keys.SCHEDULE + "s", "next", made.next - 6_000_000)
    resumed = await schedules.resume("s", CatchUp.NONE)
    assert resumed.next == made.next
    assert client.zscore(keys.SCHEDULES, "s") == made.next


async def test_removed_with_all_that_is_kept_of_it(schedules: Schedules, client: redis.Redis) -> None:
    await schedules.create("s", every(60), NONE)
    client.lpush(keys.SCHEDULE_HISTORY + "s", "{}")
    await schedules.delete("s")
    assert client.keys("celeriac:schedule*") == []
    for missing in (schedules.get("s"), schedules.delete("s"), schedules.pause("s", ""), schedules.resume("s")):
        with pytest.raises(NotFoundError):
            await missing


async def test_pages_in_order_of_names(schedules: Schedules) -> None:
    names = [f"s{n:02}" for n in range(7)]
    for name in reversed(names):
        await schedules.create(name, every(60), NONE)
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await schedules.page(after, 3)
        seen += [stored.id for stored in page.schedules]
        after = page.after
        if after is None:
            break
    assert seen == names
