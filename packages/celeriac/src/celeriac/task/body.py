"""What Celery calls in place of a task's function: it awaits coroutines, and turns a MemoryError into a failure."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from types import CoroutineType
from typing import Any

from celery import current_task

from celeriac.errors import MemoryExhaustedError
from celeriac.task import loop
from celeriac.task.bridge import bridge
from celeriac.task.carrier import ThreadCarrier, carrier
from celeriac.task.identity import bearer
from celeriac.task.limits import NONE, limits_of
from celeriac.task.upstream import pydantic_dump_options


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether *function* is, or wraps, an ``async def``."""
    return inspect.iscoroutinefunction(inspect.unwrap(function))


def body(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a task's function. Celery's ``autoretry_for`` goes around the result, so it sees what a coroutine raises.

    The signature stays the function's own, for whoever describes the task.
    """
    dump = pydantic_dump_options(function)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            run_ = bearer.get()
            if isinstance(run_, ThreadCarrier) and not run_.entered:
                result = run_.run_body(lambda: function(*args, **kwargs))
            elif run_ is None and current_task and not current_task.request.called_directly:
                # The thread runs others after this one: what it sets in its context ends with it.
                result = copy_context().run(function, *args, **kwargs)
            else:
                result = function(*args, **kwargs)
            if type(result) is CoroutineType:
                result = _settle(result if dump is None else _dumped(result, dump))
        except MemoryError as error:
            # Celery takes a MemoryError for the worker's own, exits, and hands the message to the next worker.
            raise MemoryExhaustedError(f"the task ran out of memory: {error}") from None
        return result

    run.celeriac_body = True  # type: ignore[attr-defined]
    return run


async def _dumped(coroutine: Coroutine[Any, Any, Any], options: dict[str, Any]) -> Any:
    """Dump the model that a ``pydantic=True`` coroutine returns, as Celery does for functions."""
    value = await coroutine
    return value.model_dump(**options) if hasattr(value, "model_dump") else value


def _settle(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what *coroutine* returns; or *coroutine*, to a caller on an event loop, who can await it."""
    run = carrier()
    if run is not None and not run.entered:
        return run.run_body(coroutine)
    task = current_task or None
    eager = task is not None and task.request.is_eager
    if not eager and loop.here():
        return coroutine
    if run is not None:
        return run.step(coroutine)
    return bridge().run(coroutine, NONE if task is None or eager else limits_of(task))
