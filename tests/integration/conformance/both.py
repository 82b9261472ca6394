"""A task written once and registered twice: as ``<name>.async`` and as ``<name>.sync``.

The sync one steps the same coroutine to its end in one go, for :func:`pause` sleeps in place of awaiting there.
"""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from celery import shared_task

_sync: ContextVar[bool] = ContextVar("sync", default=False)


async def pause(seconds: float) -> None:
    """Sleep as the kind of task does that calls it."""
    if not _sync.get():
        await asyncio.sleep(seconds)
        return
    end = time.monotonic() + seconds
    while time.monotonic() < end:  # so that a thread can be interrupted
        time.sleep(0.02)  # noqa: ASYNC251 only where no loop runs


def both(**options: Any) -> Callable[[Callable[..., Coroutine[Any, Any, Any]]], None]:
    """Register the coroutine function under both names, with these options of Celery's."""

    def register(function: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        name = function.__name__
        for kind, written in (("async", function), ("sync", _blocking(function))):
            decorate: Callable[..., object] = shared_task(name=f"{name}.{kind}", **options)
            decorate(written)

    return register


def _blocking(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        token = _sync.set(True)
        try:
            function(*args, **kwargs).send(None)
        except StopIteration as stop:
            return stop.value
        finally:
            _sync.reset(token)
        raise AssertionError("a sync task has awaited something")

    run.__name__ = function.__name__
    run.__module__ = function.__module__
    run.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return run
