"""Results kept elsewhere than with the runs: an outage of that store does not make a failure of a success.

The record of a run tells its state, whichever store holds its value. Celery's own backends raise when they cannot
store, and the tracer then reports FAILURE for work that succeeded, its errbacks run and its chord breaks. Here the
value is tried for about a minute and then given up, with a line in the log.
"""

from functools import cached_property
from importlib.util import find_spec
from typing import Any, Final

import redis
import structlog
from celery import states
from celery.backends import redis as celery_redis
from celery.backends import rpc
from celery.exceptions import BackendStoreError
from kombu.exceptions import EncodeError, OperationalError
from kombu.utils.json import dumps

from celeriac import backend
from celeriac.backend import ResultTooLargeError
from celeriac.capture import of
from celeriac.errors import ConfigurationError

log = structlog.get_logger(__name__)

MAX_RETRIES: Final = 20
"""Attempts to store a value, with back-off up to ten seconds between them: about a minute and a half."""


def backend_url(url: str | None) -> str:
    """Return Celery's ``result_backend`` for ``CELERIAC_RESULT_BACKEND``.

    Raises:
        ConfigurationError: a database is named and what it needs is not installed.
    """
    if not url:
        return "celeriac.backend:RedisBackend+redis://"
    scheme = url.partition("://")[0]
    if scheme.startswith("db+"):
        if find_spec("sqlalchemy") is None:
            raise ConfigurationError("CELERIAC_RESULT_BACKEND names a database: install celeriac[database]")
        # SQLAlchemy takes plain postgresql:// for the driver psycopg2.
        url = url.removeprefix("db+").replace("postgresql://", "postgresql+psycopg://", 1)
        return f"celeriac.database:DatabaseBackend+{url}"
    if scheme == "rpc":
        return f"celeriac.results:RpcBackend+{url}"
    if scheme.startswith(("redis", "sentinel")):
        return f"celeriac.results:{'SentinelBackend' if scheme == 'sentinel' else 'RedisBackend'}+{url}"
    return url


class Outcome:
    """Mixed into a Celery backend, before it."""

    app: Any
    max_retries: float

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        self._check_size(result, state)
        capture = of(request)
        if capture is not None and request.id == task_id and state != states.STARTED:
            capture.state = state
        stock: Any = super()
        try:
            return stock.store_result(task_id, result, state, traceback=traceback, request=request, **kwargs)
        except EncodeError:
            raise
        except Exception as error:
            if capture is None or not isinstance(error, BackendStoreError | OSError | self.unreachable):
                raise
            log.exception("the value of a run is lost: its result store did not answer", run=task_id)
            return result

    unreachable: tuple[type[Exception], ...] = ()
    """What this backend raises when its store cannot be reached."""

    def _check_size(self, result: Any, state: str) -> None:
        limit = self.app.conf.get("celeriac_result_max_bytes")
        if state != states.SUCCESS or not limit:
            return
        size = len(dumps(result))
        if size > limit:
            raise ResultTooLargeError(
                f"the result is {size} bytes, {limit} are allowed (CELERIAC_RESULT_MAX_BYTES): "
                "return a reference, or keep it as an artifact"
            )


_Redis: Any = celery_redis.RedisBackend
_Sentinel: Any = celery_redis.SentinelBackend
_Rpc: Any = rpc.RPCBackend


class RedisBackend(Outcome, _Redis):
    """Results in a Redis of their own."""

    unreachable = (redis.RedisError,)


class SentinelBackend(Outcome, _Sentinel):
    """Results in a Redis of their own, behind Sentinels."""

    unreachable = (redis.RedisError,)


class RpcBackend(Outcome, _Rpc):
    """Results sent back, as messages, to the process that asked; for development.

    Celery's knows no chords, since nobody could count their parts. Here the runs' Redis counts them, as it does where
    it keeps the results too, and the body's result goes to the process that sent the chord. Messages that nobody
    reads go ``CELERIAC_RESULT_EXPIRES_SECONDS`` after the last: kombu tells Redis of no expiry.
    """

    unreachable = (OperationalError, redis.RedisError)

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        result = super().store_result(task_id, result, state, traceback, request, **kwargs)
        reply_to, _ = self.destination_for(task_id, request)
        if reply_to and self.expires:
            self._bound(reply_to)
        return result

    def _bound(self, queue: str) -> None:
        try:
            self._runs.client.expire(queue, self.expires)
        except (redis.RedisError, OSError):
            log.warning("an answer has no expiry until the next one: Redis went away behind it", queue=queue)

    @cached_property
    def _runs(self) -> Any:
        return backend.RedisBackend(app=self.app)

    def ensure_chords_allowed(self) -> None:
        """They are."""

    def apply_chord(self, *args: Any, **kwargs: Any) -> Any:
        return self._runs.apply_chord(*args, **kwargs)

    def restore_group(self, *args: Any, **kwargs: Any) -> Any:
        return self._runs.restore_group(*args, **kwargs)

    def set_chord_size(self, *args: Any, **kwargs: Any) -> Any:
        return self._runs.set_chord_size(*args, **kwargs)

    def on_chord_part_return(self, *args: Any, **kwargs: Any) -> Any:
        return self._runs.on_chord_part_return(*args, **kwargs)
