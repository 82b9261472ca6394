"""What a request handler works with, made once per process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Self

from fastapi import Depends, Request

from celeriac.errors import UnavailableError
from celeriac.redis import connect_async
from celeriac.settings import Settings
from celeriac_api.catalog_cache import CatalogCache
from celeriac_api.metrics import Metrics
from celeriac_api.store import Store
from celeriac_api.watcher import Watcher

RESERVED_CONNECTIONS = 1
"""Connections of the pool that requests do not use: the subscription's."""

_FIRST_CONTACT_PAUSE_SECONDS = 0.5


class Resources:
    """Settings, Redis, the catalogue's copy, the shared subscription, metrics."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.draining = False
        """Set when the process has been told to stop: it is not ready, and still answers."""
        self.reached_redis = False
        """Set by Redis' first answer, and never unset: in an outage a ready API answers 503 with a reason, where one
        taken out of its Service would leave callers with a refused connection."""
        self._client = connect_async(settings.redis)
        limit = settings.redis.max_connections - RESERVED_CONNECTIONS
        self.store = Store(self._client, settings.api.deadline_seconds, limit)
        self.catalog = CatalogCache(self.store)
        self.watcher = Watcher(self._client, settings.api.max_waiters)
        metrics.waiters.set_function(lambda: self.watcher.waiters)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Serve until the process stops."""
        self.watcher.start()
        first = asyncio.create_task(self._first_contact())
        try:
            yield self
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            await self.watcher.close()
            await self.catalog.close()
            await self._client.aclose()

    async def _first_contact(self) -> None:
        while not self.reached_redis:
            try:
                await self.store.run(lambda client: client.ping())
                self.reached_redis = True
            except UnavailableError:
                await asyncio.sleep(_FIRST_CONTACT_PAUSE_SECONDS)

    def drain(self) -> None:
        """Say that this process is not ready any more."""
        self.draining = True


def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


Api = Annotated[Resources, Depends(_resources)]
"""What a route's function takes to reach them."""
