"""Schedules while leaders and Redis die under them. ``bench/drills/schedules.py`` is the same for longer."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from celeriac import keys
from celeriac.redis import connect, connect_async
from celeriac.schedule.fault import read
from celeriac.schedule.store import Schedules
from celeriac.settings.redis import RedisSettings
from celeriac.testing import SentinelGroup, ServiceProcess, audit, until

QUEUE = [keys.queue_list("default", 3)]
StartScheduler = Callable[[], ServiceProcess]


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    with SentinelGroup(tmp_path / "redis") as group:
        yield group


@pytest.fixture
def running(group: SentinelGroup, tmp_path: Path) -> Iterator[list[ServiceProcess]]:
    """Two schedulers with a short lease."""
    module = "celeriac_scheduler.main"
    running = [
        ServiceProcess(module, group.url, tmp_path / name, "scheduler is up", scheduler_lease_seconds="2")
        for name in ("first", "second", "third")
    ]
    for process in running:
        process.wait_ready()
    yield running
    for process in running:
        process.kill()


def leader(client: redis.Redis, running: list[ServiceProcess]) -> ServiceProcess:
    until(lambda: client.get(keys.LEADER))
    token: Any = client.get(keys.LEADER)
    return next(process for process in running if token.decode().partition(":")[2] in process.log)


def fires_again(client: redis.Redis) -> float:
    """Wait until a schedule has fired from now on, and return the seconds that took."""
    before = client.hget(keys.SCHEDULE + "s0", "fires")
    return until(lambda: client.hget(keys.SCHEDULE + "s0", "fires") not in (None, before), deadline=30)


async def test_each_fire_once_whoever_dies(group: SentinelGroup, running: list[ServiceProcess]) -> None:
    settings = RedisSettings(url=group.url)
    client = connect(settings)
    until(lambda: client.get(keys.LEADER))
    async with connect_async(settings) as connection:
        schedules = Schedules(connection, "UTC", 3600)
        for n in range(12):
            when = {"kind": "interval", "every_seconds": 1 + n % 3}
            catch_up = ("all", "all", "last", "none")[n % 4]
            await schedules.create(f"s{n}", read({"task": "t", "when": when, "catch_up": catch_up}), ([], {}))
        fires_again(client)

        killed = leader(client, running)
        killed.kill()
        running.remove(killed)
        print(f"fires {fires_again(client):.1f} s after SIGKILL of the leader")

        paused = leader(client, running)
        paused.signal(signal.SIGSTOP)
        until(lambda: client.get(keys.FENCE) == b"3")
        print(f"fires {fires_again(client):.1f} s after another leads in place of a stopped one")
        paused.signal(signal.SIGCONT)
        until(lambda: "standing by" in paused.log)
        fires_again(client)

        group.master().kill()
        took = until(lambda: answers(client) and fires_again(client), deadline=30)
        print(f"fires {took:.1f} s after SIGKILL of the master")
        until(lambda: int(client.hget(keys.SCHEDULE + "s0", "fires") or 0) >= 18, deadline=40)
        seconds, _ = client.time()
        end = (int(seconds) - 1) * 1000

    found = audit(client, QUEUE, end)
    print(f"{found.expected} fires: {found.ran} ran once, {found.missed} given up; {found.lost} {found.doubled}")
    assert found.exact
    assert found.ran > 80
    assert all(process.process.poll() is None for process in running)
    assert paused.event("standing by") is not None
    client.close()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
