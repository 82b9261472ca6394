"""The catalogue in the API's memory, so that a submission costs one round trip to Redis."""

import asyncio
import time

import redis.asyncio
import structlog
from pydantic import ValidationError

from celeriac import keys
from celeriac.catalog import Entry, near_names
from celeriac.catalog.arguments import Arguments
from celeriac.errors import UnavailableError, UnknownTaskError
from celeriac_api.store import Store

FRESH_SECONDS = 1.0
"""A copy younger than this is used as it is."""
STALE_SECONDS = 60.0
"""A copy younger than this is used while a new one is fetched; an older one is not used."""
MISS_SECONDS = 0.2
"""A name is unknown only when a copy younger than this does not have it."""

logger = structlog.get_logger(__name__)


class CatalogCache:
    """A copy of the catalogue whose age is bounded, and which asks for one number when nothing has changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[bytes, Arguments]] = {}
        self._version: bytes | None = None
        self._read_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    async def arguments(self, name: str) -> Arguments:
        """Return what checks the arguments of the task *name*.

        Raises:
            UnknownTaskError: no worker offers it.
            UnavailableError: there is no usable copy and Redis is away.
        """
        await self._refresh_if_older_than_allowed()
        if name not in self._known:
            if self._age() > MISS_SECONDS:
                await self._refresh()
            if name not in self._known:
                raise UnknownTaskError(name[:200], near_names(name, self._known))
        return self._known[name][1]

    async def entries(self) -> list[Entry]:
        """Return all entries by name, in an outage those of the last minute.

        Raises:
            UnavailableError: there is no usable copy and Redis is away.
        """
        if self._age() > MISS_SECONDS:
            try:
                await self._refresh()
            except UnavailableError:
                if self._age() > STALE_SECONDS:
                    raise
        return [self._known[name][1].entry for name in sorted(self._known)]

    async def _refresh_if_older_than_allowed(self) -> None:
        age = self._age()
        if age > STALE_SECONDS:
            await self._refresh()
        elif age > FRESH_SECONDS:
            self._start_refresh()

    def _age(self) -> float:
        return time.monotonic() - self._read_at

    async def _refresh(self) -> None:
        """Fetch a copy, or wait for the fetch that is under way. A caller that gives up stops it for nobody else."""
        await asyncio.shield(self._start_refresh())

    def _start_refresh(self) -> asyncio.Task[None]:
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._store.run(self._fetch))
            self._refreshing.add_done_callback(self._refreshed)
        return self._refreshing

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, UnavailableError):
            logger.error("the catalogue cannot be read", exc_info=error)

    async def _fetch(self, client: redis.asyncio.Redis) -> None:
        if self._version is None or await client.get(keys.CATALOG_VERSION) != self._version:
            async with client.pipeline(transaction=True) as pipeline:
                pipeline.get(keys.CATALOG_VERSION)
                pipeline.hgetall(keys.CATALOG)
                version, fields = await pipeline.execute()
            parsed = {name.decode(): self._parsed(name.decode(), text) for name, text in fields.items()}
            self._known = {name: found for name, found in parsed.items() if found is not None}
            self._version = version
        self._read_at = time.monotonic()

    def _parsed(self, name: str, text: bytes) -> tuple[bytes, Arguments] | None:
        """Return what is known of a task; None for an entry that cannot be read, which hides no other."""
        before = self._known.get(name)
        if before and before[0] == text:
            return before
        try:
            return text, Arguments(Entry.model_validate_json(text))
        except ValidationError as error:
            logger.warning("a catalogue entry cannot be read", task_name=name, error=str(error))
            return None

    async def close(self) -> None:
        """Stop a fetch that is under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
