"""Tasks whose body runs to its end once per key, however often they are submitted or delivered.

::

    @shared_task(max_retries=20)
    @once(key=lambda order: order["id"], window=timedelta(days=7))
    def charge(order): ...

A second run of the same key within *window* of the first one's end returns the first one's result and does nothing.
One that comes while the first still works is retried; its task's ``max_retries`` says how often. A first that fails
leaves the key free, and one that was lost with its worker goes on when it is delivered again.

What no decorator can give: a body that was cut off in the middle runs again from its beginning.
"""

import asyncio
import inspect
from collections.abc import Callable
from datetime import timedelta
from functools import cache, wraps
from typing import Any, Final, TypeVar, cast

import redis
import structlog
from celery import current_app, current_task
from kombu.utils.json import dumps, loads

from celeriac import keys, scripts
from celeriac.errors import ConfigurationError
from celeriac.redis import connect, is_unreachable
from celeriac.settings.redis import RedisSettings

F = TypeVar("F", bound=Callable[..., Any])
log = structlog.get_logger(__name__)

CLAIM: Final = timedelta(days=7)
"""Longest time for which an unfinished claim is remembered; past it the key is free."""
_BUSY_SECONDS: Final = 2


class DuplicateRunError(Exception):
    """Another run of the same key was still working when this one had used up its retries."""


def once(*, key: Callable[..., object], window: timedelta) -> Callable[[F], F]:
    """Return a decorator that stands below ``@shared_task``.

    Args:
        key: is called with the task's arguments (without ``self``) and names the work; keys of two tasks never meet.
        window: for how long after its end the work counts as done.
    """
    if window <= timedelta(0):
        raise ConfigurationError(f"once(window={window}): the window must be longer than nothing")

    def decorate(function: F) -> F:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            claim = _Claim(key, window, args, kwargs)
            if claim.taken():
                return claim.result
            try:
                result = function(*args, **kwargs)
            except BaseException:
                claim.release()
                raise
            claim.complete(result)
            return result

        @wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            claim = _Claim(key, window, args, kwargs)
            if await asyncio.to_thread(claim.taken):
                return claim.result
            try:
                result = await function(*args, **kwargs)
            except BaseException:
                await asyncio.to_thread(claim.release)
                raise
            await asyncio.to_thread(claim.complete, result)
            return result

        return cast(F, call_async if inspect.iscoroutinefunction(function) else call)

    return decorate


class _Claim:
    """What one run has to do with a key. Looks at the current task when it is made, and never again."""

    def __init__(
        self, key: Callable[..., object], window: timedelta, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        task: Any = current_task
        if not task or task.request.id is None:
            raise ConfigurationError("once() works inside a task that a worker runs: put it below @shared_task")
        if args and args[0] is task._get_current_object():  # noqa: SLF001  # a bound task's self
            args = args[1:]
        self.result: Any = None
        self._task = task._get_current_object()  # noqa: SLF001  # the proxy means another task elsewhere
        self._run = str(task.request.id)
        self._name = f"{keys.ONCE}{task.name}:{key(*args, **kwargs)}"
        self._window = window
        settings: RedisSettings | None = current_app.conf.get("celeriac_redis")
        if settings is None:
            raise ConfigurationError("once() needs an app made by celeriac.app.create_app(settings, 'worker')")
        self._client = _client(settings)

    def taken(self) -> bool:
        """Claim the key; tell whether its work is done, with :attr:`result`. Retries the run while it is busy."""
        try:
            answer, *rest = self._do("claim", max(self._window, CLAIM))
        except redis.RedisError as error:
            if is_unreachable(error):
                raise self._task.retry(exc=error, countdown=_BUSY_SECONDS) from error
            raise
        if answer == b"done":
            self.result = loads(rest[0])
            return True
        if answer == b"busy":
            error_ = DuplicateRunError(f"run {rest[0].decode()} is still doing this work ({self._name})")
            raise self._task.retry(exc=error_, countdown=_BUSY_SECONDS)
        return False

    def complete(self, result: Any) -> None:
        """Keep the result. Without Redis the claim stays, and the record of this run will say that it is done."""
        try:
            self._do("complete", self._window, dumps(result))
        except redis.RedisError as error:
            log.warning("the result of work done once could not be kept", key=self._name, error=str(error))

    def release(self) -> None:
        """Free the key. Without Redis it becomes free when the record says that this run has failed."""
        try:
            self._do("release", self._window)
        except redis.RedisError as error:
            log.warning("the key of failed work could not be freed", key=self._name, error=str(error))

    def _do(self, what: str, keep: timedelta, *more: str) -> Any:
        arguments: list[scripts.Argument] = [what, self._run, round(keep.total_seconds() * 1000), *more]
        return scripts.run(self._client, "once", [self._name], arguments)


@cache
def _client(settings: RedisSettings) -> redis.Redis:
    return connect(settings)
