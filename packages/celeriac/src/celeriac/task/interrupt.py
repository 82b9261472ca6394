"""How a coroutine is told to stop.

What is thrown is a ``CancelledError``, so that ``TaskGroup``, ``timeout`` and clients clean up as on any
cancellation. It is also the exception Celery raises for the same reason, so that ``except SoftTimeLimitExceeded`` in
a task means the same in ``async def`` as in ``def``.
"""

import asyncio

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded


class SoftLimit(asyncio.CancelledError, SoftTimeLimitExceeded):
    """The soft limit has passed. A coroutine that catches it goes on, until the hard limit."""


class HardLimit(asyncio.CancelledError, TimeLimitExceeded):
    """The hard limit has passed. Catching it does not save the run."""


class Terminated(asyncio.CancelledError):
    """The run was terminated. Catching it does not save the run."""


class Dropped(asyncio.CancelledError):
    """The worker stops and the run is somebody else's from now on: nothing is reported of it."""


class Ended(BaseException):
    """Leaves the tracer without a result: what became of the run has been reported elsewhere."""


class StoppedFromWithinError(Exception):
    """A coroutine ended by a cancellation that nobody outside had asked for."""


def outcome(error: asyncio.CancelledError) -> BaseException:
    """Return the exception to record for a coroutine that *error* has ended."""
    if isinstance(error, SoftLimit):
        return SoftTimeLimitExceeded(*error.args)
    if isinstance(error, HardLimit):
        return TimeLimitExceeded(*error.args)
    return StoppedFromWithinError("the coroutine was cancelled by its own code")
