"""``async def`` tasks that wait for many things at once, through a client that all runs of a process share.

They run under every pool, and by the thousand in one process under the asyncio pool. The lifespan is the one thing in
the task patterns that a package imports from Celeriac.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

from celeriac.lifespan import lifespan

_AT_A_TIME = 10


@lifespan
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """One connection pool per worker process: opened by the first run that needs it, closed when the process ends.

    An asyncpg pool, or anything else with ``async with``, goes in the same way.
    """
    async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
        yield client


@shared_task(autoretry_for=(httpx.TransportError,), retry_backoff=True, max_retries=3)
async def status_of(url: str) -> int:
    """Return the HTTP status that *url* answers with. A connection that fails is tried again, with back-off."""
    client = await http()
    return (await client.get(url)).status_code


@shared_task(soft_time_limit=30, time_limit=40)
async def statuses(urls: list[str]) -> dict[str, int | None]:
    """Return the status of each URL, ten at a time; None for one that failed or had no answer in the time limit."""
    client = await http()
    found: dict[str, int | None] = dict.fromkeys(urls)
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def one(url: str) -> None:
        async with gate:
            try:
                found[url] = (await client.get(url)).status_code
            except httpx.HTTPError:
                found[url] = None

    try:
        async with asyncio.TaskGroup() as group:
            for url in found:
                group.create_task(one(url))
    except SoftTimeLimitExceeded:
        pass  # the group has cancelled what was still open; what is there is worth returning
    return found
