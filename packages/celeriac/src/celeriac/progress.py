"""What a run says of its progress. It is news: while Redis is away it is lost, and the run goes on without it."""

import time
from typing import Final

import redis
import structlog

from celeriac import keys, scripts
from celeriac.redis import is_unreachable

log = structlog.get_logger(__name__)

_LEAST_PAUSE: Final = 1.0
"""Seconds before the next attempt, which waits as long as the last one took: a hung Redis takes at most half of a
run's time."""


class Progress:
    """Sends progress from this process, from any thread of it."""

    def __init__(self) -> None:
        self._again_at = 0.0
        self._lost = False

    def send(self, client: redis.Redis, run: str, progress: str, result: bytes | str, keep_seconds: int) -> None:
        """Write *progress*, JSON, into the record of *run*, and *result* where Celery looks.

        Says so once, and does nothing for a while, when Redis cannot be reached.

        Raises:
            redis.RedisError: Redis was reached and refused for a reason that will not pass.
        """
        began = time.monotonic()
        if began < self._again_at:
            return
        try:
            scripts.run(client, "progress", [keys.RUN + run], [run, progress, result, keep_seconds])
        except (redis.RedisError, OSError) as error:
            if not isinstance(error, OSError) and not is_unreachable(error):
                raise
            self._lose(run, error, time.monotonic() - began)
        else:
            self._lost = False

    def _lose(self, run: str, error: Exception, cost: float) -> None:
        self._again_at = time.monotonic() + max(_LEAST_PAUSE, cost)
        if not self._lost:
            log.warning("progress is lost while redis does not answer", run=run, error=str(error) or repr(error))
        self._lost = True
