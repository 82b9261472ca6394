"""Fifty schedules of one to five seconds for two minutes, while leaders and Redis die under them.

Run with ``uv run python bench/drills/schedules.py``. Two schedulers at their default lease, three data servers and
three Sentinels. The leader is killed; the next is stopped past its lease and continued; then the master is killed.
Afterwards each fire that was to be is looked for: it ran once, or was given up by its catch-up policy, or it is lost.
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from celeriac import keys
from celeriac.redis import connect, connect_async
from celeriac.schedule.fault import read
from celeriac.schedule.store import Schedules
from celeriac.settings.redis import RedisSettings
from celeriac.testing import SentinelGroup, ServiceProcess, audit, until

SCHEDULES, SECONDS = 50, 120
KILL, STOP, CONTINUE, FAILOVER = 20, 45, 65, 85
POLICIES = ("all", "all", "all", "last", "none")


async def make(settings: RedisSettings) -> None:
    async with connect_async(settings) as client:
        schedules = Schedules(client, "UTC", 3600)
        for n in range(SCHEDULES):
            policy = POLICIES[n % len(POLICIES)]
            every = 1 + n * 4 // (SCHEDULES - 1) if policy == "all" else 2 + n % 4
            when = {"kind": "interval", "every_seconds": every}
            definition = read({"task": "shop.tick", "when": when, "catch_up": policy, "catch_up_limit": 1000})
            await schedules.create(f"{policy}-{n:02}", definition, ([], {}))


def now(client: redis.Redis) -> int:
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, SentinelGroup(Path(folder) / "redis") as group:
        settings = RedisSettings(url=group.url)

        def scheduler(name: str) -> ServiceProcess:
            return ServiceProcess(
                "celeriac_scheduler.main", group.url, Path(folder) / name, "scheduler is up"
            ).wait_ready()

        running = [scheduler("first"), scheduler("second")]
        try:
            return drill(settings, group, running, scheduler)
        finally:
            for process in running:
                process.kill()


def drill(
    settings: RedisSettings,
    group: SentinelGroup,
    running: list[ServiceProcess],
    start: Callable[[str], ServiceProcess],
) -> int:
    client = connect(settings)
    until(lambda: client.get(keys.LEADER))
    asyncio.run(make(settings))
    began, base = time.monotonic(), now(client)

    def at(second: float) -> None:
        time.sleep(max(0.0, began + second - time.monotonic()))

    def leader() -> ServiceProcess:
        token: Any = client.get(keys.LEADER)
        return next(process for process in running if token.decode().partition(":")[2] in process.log)

    at(KILL)
    killed = leader()
    killed.kill()
    running.remove(killed)
    print(f"{KILL:4} s  leader killed")
    running.append(start("third"))
    at(STOP)
    paused = leader()
    paused.signal(signal.SIGSTOP)
    print(f"{STOP:4} s  leader stopped")
    at(CONTINUE)
    stood_by = paused.log.count("standing by")
    paused.signal(signal.SIGCONT)
    took = until(lambda: paused.log.count("standing by") > stood_by, deadline=10)
    print(f"{CONTINUE:4} s  leader continued; it stood by {took:.2f} s later")
    at(FAILOVER)
    group.master().kill()
    print(f"{FAILOVER:4} s  master killed")
    at(SECONDS)

    client = connect(settings)
    end = now(client) - 2000
    found = audit(client, [keys.queue_list("default", 3)], end)
    for name, first, last in (("SIGKILL", KILL, STOP), ("SIGSTOP", STOP, FAILOVER), ("failover", FAILOVER, SECONDS)):
        silence = found.longest_silence(base + first * 1000, base + last * 1000)
        print(f"longest silence after {name:<9}{silence:5.1f} s")
    print(
        f"{found.expected} fires were to be: {found.ran} ran once ({found.made_up} of them made up), "
        f"{found.missed} given up by policy, {len(found.lost)} lost, {len(found.doubled)} doubled"
    )
    for line in (*found.lost[:10], *found.doubled[:10]):
        print("  ", line)
    tokens = int(client.get(keys.FENCE) or 0)
    print(f"fencing tokens given out: {tokens}")
    return 0 if found.exact else 1


if __name__ == "__main__":
    sys.exit(main())
