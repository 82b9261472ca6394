"""The scheduler's own clock has no say: it is set back and forward by an hour under a running one."""

import time
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from celeriac import keys
from celeriac.schedule.fault import read
from celeriac.schedule.store import Schedules
from celeriac.testing import Server, ServiceProcess, audit, until


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that says by how much the wall clock of what is started from now on is off."""
    file = tmp_path / "clock"
    file.write_text("+0")
    library = files("libfaketime") / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(file))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    return file


@pytest.fixture
def scheduler(clock: Path, shared_server: Server, client: redis.Redis, tmp_path: Path) -> Iterator[ServiceProcess]:
    process = ServiceProcess("celeriac_scheduler.main", shared_server.url, tmp_path / "scheduler", "scheduler is up")
    yield process.wait_ready()
    process.kill()


def off(scheduler: ServiceProcess, client: redis.Redis) -> float:
    """By how many seconds the process' wall clock is off: how it dates a complaint that it is made to write."""
    said = "schedule cannot fire and is paused"
    before = len(scheduler.events(said))
    broken: Any = {"definition": "{}", "payload": "[[], {}]", "version": 1, "next": 1}
    client.hset(keys.SCHEDULE + "broken", mapping=broken)
    client.zadd(keys.SCHEDULES, {"broken": 1})
    until(lambda: len(scheduler.events(said)) > before)
    client.delete(keys.SCHEDULE + "broken")
    complaint = scheduler.events(said)[-1]
    return datetime.fromisoformat(complaint["timestamp"]).timestamp() - time.time()


def put(clock: Path, shift: int) -> None:
    clock.write_text(f"{shift:+}s")


async def test_nothing_doubled_and_nothing_lost(
    clock: Path, scheduler: ServiceProcess, client: redis.Redis, shared_server: Server
) -> None:
    async with redis.asyncio.Redis(port=shared_server.port) as connection:
        schedules = Schedules(connection, "UTC", 3600)
        for n in range(10):
            when = {"kind": "interval", "every_seconds": 1}
            await schedules.create(f"s{n}", read({"task": "t", "when": when, "catch_up": "none"}), ([], {}))
        for shift in (-3600, 3600, 0):
            put(clock, shift)
            assert abs(off(scheduler, client) - shift) < 60
            wanted = client.llen(keys.queue_list("default", 3)) + 30
            until(lambda: client.llen(keys.queue_list("default", 3)) >= wanted)  # noqa: B023 called at once
        end = await schedules.now() - 1000
    found = audit(client, [keys.queue_list("default", 3)], end)
    print(f"{found.expected} fires, {found.ran} ran once, {found.made_up} made up, lost {found.lost}")
    assert found.exact
    assert found.ran == found.expected >= 80
    assert found.made_up == found.missed == 0
    assert found.longest_silence(0, end) < 3
    assert scheduler.process.poll() is None
