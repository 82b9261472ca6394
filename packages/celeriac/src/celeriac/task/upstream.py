"""Every reach into Celery's private parts that tasks and the asyncio pool need, each with a test.

``tests/unit/task/test_upstream.py`` fails when an upgrade moves one of them.
"""

import inspect
import os
import signal
from collections.abc import Callable
from typing import Any

from billiard import pool as billiard_pool
from celery._state import _task_stack  # type: ignore[attr-defined]
from celery.concurrency.prefork import _run_ready_callbacks  # type: ignore[attr-defined]
from kombu.asynchronous import Hub

from celeriac.errors import ConfigurationError


def identify_by(identity: Callable[[], object], stack: Any) -> None:
    """Make *stack* and Celery's stack of current tasks tell contexts apart by *identity*.

    By itself Celery goes by the current greenlet, which on an event loop is one and the same for all coroutines.

    Raises:
        ConfigurationError: ``USE_FAST_LOCALS`` is set; the stacks it brings know threads only.
    """
    if os.environ.get("USE_FAST_LOCALS"):
        raise ConfigurationError("USE_FAST_LOCALS makes all tasks of a thread share one context; unset it")
    for each in (stack, _task_stack):
        each.__ident_func__ = identity


def run_ready_acknowledgements(hub: Hub) -> None:
    """Run the acknowledgements that wait in *hub*, for a pool that ends tasks after the hub's loop has ended."""
    _run_ready_callbacks(hub)


def signals_soft_limit() -> bool:
    """Tell whether this process is a prefork child, where soft limits arrive as a signal."""
    handler = signal.getsignal(billiard_pool.SIG_SOFT_TIMEOUT)
    return handler is billiard_pool.soft_timeout_sighandler


def pydantic_dump_options(function: Callable[..., Any]) -> dict[str, Any] | None:
    """Return how a ``pydantic=True`` task dumps the model it returns; None when *function* is no such task."""
    if not hasattr(function, "dump_arguments"):
        return None
    options: dict[str, Any] = inspect.getclosurevars(function).nonlocals["dump_kwargs"]
    return options
