"""What the drills run: tasks that leave a trace of each start."""

import asyncio
import os
import time
from typing import Any

import redis

from celeriac.app import create_app
from celeriac.settings import load

app = create_app(load(), "worker")
_client = redis.Redis.from_url(os.environ["DRILL_NOTES"])


@app.task(bind=True)
def work(self: Any, seconds: float) -> None:
    """Note the start, in a server of the drill's own, and take *seconds*."""
    _client.hincrby("starts", self.request.id, 1)
    time.sleep(seconds)


@app.task(bind=True)
async def work_async(self: Any, seconds: float) -> None:
    """The same in a coroutine."""
    await asyncio.to_thread(_client.hincrby, "starts", self.request.id, 1)
    await asyncio.sleep(seconds)
