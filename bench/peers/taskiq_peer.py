"""taskiq with taskiq-redis: the stream broker, or the list broker where ``BENCH_BROKER=list``."""

import asyncio
import os
import sys

from bench.peers.marks import hit
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend, RedisStreamBroker

_url = os.environ["BENCH_REDIS"]
_broker = ListQueueBroker if os.environ.get("BENCH_BROKER") == "list" else RedisStreamBroker
broker = _broker(_url).with_result_backend(RedisAsyncResultBackend(_url, result_ex_time=86_400))


@broker.task(task_name="noop")
async def noop() -> None:
    hit()


@broker.task(task_name="io")
async def io() -> None:
    await asyncio.sleep(0.05)
    hit()


async def fill(kind: str, count: int) -> None:
    await broker.startup()
    task = {"noop": noop, "io": io}[kind]
    for start in range(0, count, 500):
        await asyncio.gather(*(task.kiq() for _ in range(min(500, count - start))))
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(fill(sys.argv[1], int(sys.argv[2])))
