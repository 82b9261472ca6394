"""Waiting for runs to change: one subscription of the process, shared by all who wait."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import redis.asyncio
import structlog
from redis.asyncio.client import PubSub

from celeriac.errors import UnavailableError
from celeriac.redis import is_unreachable

PING_SECONDS = 2.0
"""An idle subscription is asked for a sign of life this often, and given up after three times without one."""
_BACKOFF_SECONDS = (0.05, 2.0)

logger = structlog.get_logger(__name__)


class Watcher:
    """Wakes those who wait when their channel says something, and all of them when the subscription begins anew.

    So a waiter reads, waits, and reads again: what it missed while the subscription was away, the new subscription's
    wake-up makes it read. A message's content is not looked at.

    Args:
        client: gives the connection.
        limit: waiters at a time.
    """

    def __init__(self, client: redis.asyncio.Redis, limit: int) -> None:
        self._client = client
        self._limit = limit
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._subscribed: set[str] = set()
        self._moved: set[str] = set()
        """Channels whose waiters came or went since the subscription was last brought in line."""
        self._changed = asyncio.Event()
        self._heard = 0.0
        self._task: asyncio.Task[None] | None = None
        self.waiters = 0
        self.closing = False

    @asynccontextmanager
    async def watch(self, channels: Iterable[str]) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set when one of *channels* may have said something; clear it before you read.

        It is also set as soon as the subscription stands, so that nothing between a first read and it is missed.

        Raises:
            UnavailableError: as many wait as may.
        """
        if self.waiters >= self._limit:
            raise UnavailableError(f"{self._limit} requests wait already; ask without 'wait', or again later.")
        event = asyncio.Event()
        names = tuple(channels)
        self.waiters += 1
        for name in names:
            self._waiting[name].add(event)
        if self._subscribed.issuperset(names) or self.closing:
            event.set()
        self._move(names)
        try:
            yield event
        finally:
            self.waiters -= 1
            for name in names:
                self._waiting[name].discard(event)
                if not self._waiting[name]:
                    del self._waiting[name]
            self._move(names)

    def _move(self, names: Iterable[str]) -> None:
        self._moved.update(names)
        self._changed.set()

    def start(self) -> None:
        """Begin to serve waiters. The connection opens with the first of them."""
        self._task = asyncio.create_task(self._run())

    def release(self) -> None:
        """Wake everybody for good: the process is about to stop."""
        self.closing = True
        for events in self._waiting.values():
            for event in events:
                event.set()

    async def close(self) -> None:
        """Wake everybody and drop the subscription."""
        self.release()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        shortest, longest = _BACKOFF_SECONDS
        pause = shortest
        while True:
            while not self._waiting:
                self._changed.clear()
                await self._changed.wait()
            began = asyncio.get_running_loop().time()
            try:
                await self._serve()
            except* Exception as group:
                if group.split(is_unreachable)[1] is None:
                    logger.warning("the subscription is lost", error=str(group.exceptions[0]))
                else:
                    logger.exception("the subscription failed")
            if asyncio.get_running_loop().time() - began > longest:
                pause = shortest
            await asyncio.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 2, longest)

    async def _serve(self) -> None:
        """Keep one subscription until it breaks."""
        self._subscribed = set()
        async with self._client.pubsub() as pubsub:
            await pubsub.connect()
            self._heard = asyncio.get_running_loop().time()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._write(pubsub))
                both.create_task(self._read(pubsub))

    async def _write(self, pubsub: PubSub) -> None:
        """Subscribe to what is waited for and leave what is not; the only task that writes."""
        asked: set[str] = set()
        self._moved = set(self._waiting)
        while True:
            self._changed.clear()
            moved, self._moved = self._moved, set()
            if new := {name for name in moved if name in self._waiting and name not in asked}:
                await pubsub.subscribe(*new)
            if old := {name for name in moved if name not in self._waiting and name in asked}:
                self._subscribed -= old
                await pubsub.unsubscribe(*old)
            asked = (asked | new) - old
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                if asyncio.get_running_loop().time() - self._heard > 3 * PING_SECONDS:
                    raise redis.ConnectionError(f"no sign of life for {3 * PING_SECONDS:g} s") from None
                await pubsub.ping()

    async def _read(self, pubsub: PubSub) -> None:
        """Wake those whose channel speaks; the only task that reads."""
        while True:
            message = await pubsub.get_message(timeout=PING_SECONDS)
            if message is None:
                continue
            self._heard = asyncio.get_running_loop().time()
            channel = message["channel"].decode() if message["channel"] else ""
            if message["type"] == "subscribe" and channel in self._waiting:
                self._subscribed.add(channel)
            if message["type"] in ("subscribe", "message"):
                for event in self._waiting.get(channel, ()):
                    event.set()
