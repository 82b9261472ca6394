"""Which run the current code belongs to.

A context variable says so. Contexts are copied into whatever a coroutine spawns (asyncio tasks, ``to_thread``), so
``self.request`` and ``current_task`` hold there too.
"""

from contextvars import ContextVar

from greenlet import getcurrent

bearer: ContextVar[object | None] = ContextVar("celeriac_bearer", default=None)
"""The object that stands for the run; unset where a thread or greenlet runs one task at a time."""


def identity() -> object:
    """Return what Celery's context stacks are keyed by."""
    return bearer.get() or getcurrent()
