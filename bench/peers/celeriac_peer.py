"""Celeriac: leased transport, records and results on, asyncio pool."""

import asyncio
import sys

from bench.peers.marks import hit
from celery import shared_task


@shared_task
async def noop() -> None:
    hit()


@shared_task
async def io() -> None:
    await asyncio.sleep(0.05)
    hit()


def fill(kind: str, count: int) -> None:
    """Submit as the API does."""
    from celeriac import scripts
    from celeriac.redis import connect
    from celeriac.settings import load
    from celeriac.submit import Submission, call

    settings = load()
    code = scripts.script("submit")
    with connect(settings.redis) as client:
        client.script_load(code.text)
        for start in range(0, count, 1000):
            with client.pipeline(transaction=False) as pipe:
                for _ in range(min(1000, count - start)):
                    keys, arguments = call(
                        Submission(task=f"{__spec__.name}.{kind}", queue="default", priority=0), settings.delivery
                    )
                    pipe.evalsha(code.sha, len(keys), *keys, *arguments)
                pipe.execute()


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]))
