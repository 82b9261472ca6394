"""Ten thousand schedules, a thousand of them due in one second: this scheduler, RedBeat and stock beat in turn.

Run with ``uv run --with celery-redbeat python bench/schedules.py``. Each gets a Valkey of its own and equal crontabs.
Idle: CPU of the scheduler and commands per second at Redis, none being due. Due: how late each of the thousand
messages is in the queue's list, seen by polling its length.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis

from celeriac import keys
from celeriac.redis import connect_async
from celeriac.schedule.fault import read
from celeriac.schedule.store import Schedules
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Server, until

SETTLE_SECONDS: Final = 8
"""For what a scheduler does at its start to be over."""
IDLE_SECONDS: Final = 15

APP: Final = """
from celery import Celery
from celery.schedules import crontab

app = Celery("shop", broker="{url}")
app.conf.timezone = "UTC"
app.conf.beat_max_loop_interval = 5
app.conf.redbeat_redis_url = "{url}"
app.conf.task_default_queue = "default"
app.conf.beat_schedule = {{
    f"s{{n}}": {{"task": "shop.tick", "schedule": crontab(minute={due} if n < {many} else {other})}}
    for n in range({all})
}}
"""


@dataclass
class Contender:
    name: str
    command: list[str]
    module: bool
    """Whether it takes its schedules from a Celery app's code; else they are made through the store."""
    list: str
    ready: Callable[[redis.Redis, int, Path], bool]


def in_redis(prefix: str) -> Callable[[redis.Redis, int, Path], bool]:
    def ready(client: redis.Redis, count: int, _: Path) -> bool:
        return int(client.zcard(prefix)) >= count

    return ready


def said(words: bytes) -> Callable[[redis.Redis, int, Path], bool]:
    return lambda _client, _count, log: words in log.read_bytes()


def contenders() -> list[Contender]:
    beat = [sys.executable, "-m", "celery", "-A", "shop", "beat", "--pidfile=", "-l", "debug"]
    quiet = [*beat[:-1], "info"]
    return [
        Contender(
            "celeriac-scheduler",
            [sys.executable, "-m", "celeriac_scheduler.main"],
            False,
            keys.queue_list("default", 3),
            said(b"leading"),
        ),
        Contender(
            "beat -S celeriac",
            [*quiet, "-S", "celeriac"],
            True,
            keys.queue_list("default", 3),
            in_redis(keys.SCHEDULES),
        ),
        Contender(
            "RedBeat", [*quiet, "-S", "redbeat.RedBeatScheduler"], True, "default", in_redis("redbeat::schedule")
        ),
        Contender("stock beat", beat, True, "default", said(b"Waking up")),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--due", type=int, default=1000)
    options = parser.parse_args()
    print(
        f"{'':<20}{'schedules':>10}{'ready s':>9}{'idle CPU %':>12}{'commands/s':>12}"
        f"{'p50 ms':>9}{'p99 ms':>9}{'last ms':>9}{'fired':>7}"
    )
    few = options.schedules // 100
    for contender in contenders():
        # Ours twice, to show what idling costs with more schedules.
        small = [(few, min(few, 10))] if not contender.module else []
        for count, due in (*small, (options.schedules, options.due)):
            with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "redis") as server:
                print(measure(contender, server, Path(folder), count, due), flush=True)


def measure(contender: Contender, server: Server, folder: Path, count: int, due: int) -> str:
    # At least 65 s away, for the slowest to be up and to have been idle.
    minute = int((time.time() + 65) // 60) + 1
    client = server.client()
    code = APP.format(url=server.url, due=minute % 60, other=(minute + 30) % 60, many=due, all=count)
    (folder / "shop.py").write_text(code)
    if not contender.module:
        asyncio.run(make(server, count, due, minute))
    environment = {**os.environ, "CELERIAC_REDIS_URL": server.url, "PYTHONPATH": str(folder)}
    log = folder / "log"
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(contender.command, env=environment, cwd=folder, stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or contender.ready(client, count, log), deadline=120)
        if process.poll() is not None:
            raise RuntimeError(log.read_text()[-2000:])
        ready = time.monotonic() - started
        if time.time() > minute * 60 - IDLE_SECONDS - SETTLE_SECONDS - 2:
            return f"{contender.name:<20}{count:>10}{ready:>9.1f}  was not ready in time to be measured"
        cpu, commands = idle(process.pid, client)
        late = lateness(client, contender.list, minute * 60, due)
    finally:
        process.kill()
        process.wait(10)
    cuts = statistics.quantiles(late, n=100) if len(late) > 1 else [float("nan")] * 99
    last = max(late, default=float("nan"))
    return (
        f"{contender.name:<20}{count:>10}{ready:>9.1f}{cpu:>12.2f}{commands:>12.1f}"
        f"{cuts[49] * 1e3:>9.0f}{cuts[98] * 1e3:>9.0f}{last * 1e3:>9.0f}{len(late):>7}"
    )


async def make(server: Server, count: int, due: int, minute: int) -> None:
    async with connect_async(RedisSettings(url=server.url)) as client:
        schedules = Schedules(client, "UTC", 3600)
        for n in range(count):
            when = {"kind": "crontab", "minute": minute % 60 if n < due else (minute + 30) % 60}
            await schedules.create(f"s{n}", read({"task": "shop.tick", "when": when}), ([], {}))


def idle(pid: int, client: redis.Redis) -> tuple[float, float]:
    """CPU percent of the process and commands per second, for a while in which nothing is due."""
    time.sleep(SETTLE_SECONDS)
    ticks, commands, began = cpu_ticks(pid), processed(client), time.monotonic()
    time.sleep(IDLE_SECONDS)
    seconds = time.monotonic() - began
    share = (cpu_ticks(pid) - ticks) / os.sysconf("SC_CLK_TCK") / seconds * 100
    return share, (processed(client) - commands - 1) / seconds


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def processed(client: redis.Redis) -> int:
    return int(client.info("stats")["total_commands_processed"])


def lateness(client: redis.Redis, name: str, due: int, count: int) -> list[float]:
    """Seconds after *due* at which each of *count* messages was in the list."""
    late: list[float] = []
    time.sleep(max(0.0, due - time.time() - 0.5))
    while len(late) < count and time.time() < due + 60:
        length = int(client.llen(name))
        late += [time.time() - due] * (length - len(late))
        time.sleep(0.001)
    return late


if __name__ == "__main__":
    main()
