"""Redis as the API sees it: each request's use of it has one deadline, and ends in an answer or in a 503."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import redis.asyncio
import structlog

from celeriac.errors import UnavailableError
from celeriac.redis import is_unreachable

T = TypeVar("T")

logger = structlog.get_logger(__name__)


class Store:
    """A client with a deadline and a bound on what runs at a time.

    Args:
        client: of this event loop.
        deadline: seconds that one use may take, the wait for a free connection included.
        limit: uses at a time; the others wait, for a pool that is empty refuses at once.
    """

    def __init__(self, client: redis.asyncio.Redis, deadline: float, limit: int) -> None:
        self._client = client
        self._deadline = deadline
        self._slots = asyncio.Semaphore(limit)

    async def run(self, action: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        """Return what *action* returns.

        Raises:
            UnavailableError: Redis did not answer within the deadline, or cannot serve now.
        """
        try:
            async with asyncio.timeout(self._deadline), self._slots:
                return await action(self._client)
        except TimeoutError as error:
            logger.warning("redis does not answer", deadline_seconds=self._deadline)
            raise UnavailableError(f"Redis did not answer within {self._deadline:g} s; try again.") from error
        except Exception as error:
            if not is_unreachable(error):
                raise
            logger.warning("redis cannot serve", error=str(error))
            raise UnavailableError("Redis cannot serve now; try again.") from error
