"""Waiting for a run's end without holding a thread, or a connection to Redis."""

import asyncio
import random

from fastapi import Request

from celeriac.errors import NotFoundError, UnavailableError
from celeriac.record import is_unknown
from celeriac_api.resources import Resources
from celeriac_api.run_view import Run, channels, read_run

FLOOR_SECONDS = 15.0
"""A run is read again this often even when nothing was heard of it."""

_RETRY_SECONDS = (0.2, 1.0)
"""Between reads while Redis is away: apart from each other, since all who wait come back at once."""


async def run_of(resources: Resources, id: str) -> Run:
    """Return the run *id*.

    Raises:
        NotFoundError: there is no such run.
        UnavailableError: Redis is away.
    """
    run = await resources.store.run(lambda client: read_run(client, id)) if len(id) <= 255 else None
    if run is not None:
        return run
    if len(id) > 255 or await resources.store.run(lambda client: is_unknown(client, id)):
        raise NotFoundError(f"There is no run {id!r:.260}: it was never submitted, or its record has expired.")
    raise UnavailableError("Redis is changing its master; try again.")


async def final_run(resources: Resources, id: str, seconds: float, request: Request) -> Run:
    """Return the run *id* when it is final, or as it is after *seconds*, or when the process stops.

    Redis may go away and come back meanwhile. A caller who hangs up is not waited for.

    Raises:
        NotFoundError: there is no such run.
        UnavailableError: Redis is away at the end, or too many wait.
    """
    run = await run_of(resources, id)
    if run.is_final or seconds <= 0:
        return run
    gone = asyncio.create_task(_hung_up(request))
    try:
        async with resources.watcher.watch(channels(id)) as changed:
            end = asyncio.get_running_loop().time() + seconds
            while not run.is_final and not resources.watcher.closing and not gone.done():
                if not await _wait(changed, gone, end - asyncio.get_running_loop().time()):
                    break
                changed.clear()
                run = await _read_again(resources, id, run, changed)
    finally:
        gone.cancel()
    return run if run.is_final else await run_of(resources, id)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _wait(changed: asyncio.Event, gone: asyncio.Task[None], seconds: float) -> bool:
    """Wait for a change, or long enough to look for one; False when the time is over or the caller is gone."""
    if seconds <= 0:
        return False
    change = asyncio.create_task(changed.wait())
    try:
        await asyncio.wait({change, gone}, timeout=min(seconds, FLOOR_SECONDS), return_when=asyncio.FIRST_COMPLETED)
    finally:
        change.cancel()
    return not gone.done() and (changed.is_set() or seconds > FLOOR_SECONDS)


async def _read_again(resources: Resources, id: str, before: Run, changed: asyncio.Event) -> Run:
    try:
        return await run_of(resources, id)
    except UnavailableError:
        await asyncio.sleep(random.uniform(*_RETRY_SECONDS))
        changed.set()
        return before
