"""arq."""

import asyncio
import os
import sys
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import run_worker
from bench.peers.marks import hit

_settings = RedisSettings.from_dsn(os.environ["BENCH_REDIS"])


async def noop(ctx: dict[str, Any]) -> None:
    hit()


async def io(ctx: dict[str, Any]) -> None:
    await asyncio.sleep(0.05)
    hit()


class WorkerSettings:
    functions = (noop, io)
    redis_settings = _settings
    max_jobs = int(os.environ["BENCH_CONCURRENCY"])


async def fill(kind: str, count: int) -> None:
    pool = await create_pool(_settings)
    for start in range(0, count, 500):
        await asyncio.gather(*(pool.enqueue_job(kind) for _ in range(min(500, count - start))))
    await pool.aclose()


if __name__ == "__main__":
    if sys.argv[1] == "work":
        run_worker(WorkerSettings)
    else:
        asyncio.run(fill(sys.argv[1], int(sys.argv[2])))
