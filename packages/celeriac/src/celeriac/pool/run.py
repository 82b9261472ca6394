"""One run in the asyncio pool, whatever carries it."""

import asyncio
import signal as signals
from abc import abstractmethod
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, NamedTuple

from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from celery.exceptions import Terminated as TerminatedError

from celeriac.errors import MemoryExhaustedError
from celeriac.task.carrier import Carrier
from celeriac.task.interrupt import Ended, Terminated

if TYPE_CHECKING:
    from celeriac.pool.dispatcher import Dispatcher


class Callbacks(NamedTuple):
    """What Celery wants to hear of a run."""

    accept: Callable[[int, float], object]
    success: Callable[[Any], object]
    error: Callable[[ExceptionInfo], object]
    timeout: Callable[[bool, float], object]


class Call(NamedTuple):
    """What Celery asks the pool for: a call of its tracer, and within which limits (seconds)."""

    target: Callable[..., Any]
    args: tuple[Any, ...]
    callbacks: Callbacks
    soft: float | None
    hard: float | None


Report = tuple[Callable[[Any], object] | None, Any]
"""The callback to call at the end, and with what; None when the end was reported before."""


class Run(Carrier):
    """A call of Celery's tracer in the pool. To Celery it is the result of ``apply_async``."""

    in_thread: bool

    def __init__(self, dispatcher: "Dispatcher", number: int, call: Call, context: Context) -> None:
        self.dispatcher = dispatcher
        self.number = number
        """Celery's ``worker_pid`` of the run."""
        self.call_ = call
        self.context = context
        self.name, self.id = call.args[:2]
        self.entered = False
        self.ended = False
        self.abandoned = False
        self.doom: asyncio.CancelledError | None = None

    def __str__(self) -> str:
        return f"{self.name}[{self.id}]"

    @property
    def limited(self) -> bool:
        """Whether it has a time limit."""
        return bool(self.call_.soft or self.call_.hard)

    @property
    def doomed(self) -> bool:
        """Whether it was terminated or passed its hard limit."""
        return self.doom is not None

    def terminate(self, signal: int | None = None) -> None:
        """Stop the run, started or not; Celery calls this on what ``apply_async`` returned."""
        self.dispatcher.terminate(self, signal or signals.SIGTERM)

    @abstractmethod
    def start(self) -> None:
        """Begin. On the loop's thread."""

    @abstractmethod
    def soft_limit(self, seconds: float) -> None:
        """Raise ``SoftTimeLimitExceeded`` in its code. On the loop's thread."""

    @abstractmethod
    def end_by(self, doom: asyncio.CancelledError) -> None:
        """Make its code end; whatever that makes of it, the run has failed. On the loop's thread."""

    @abstractmethod
    def stack(self) -> str:
        """Return where it stands."""

    def trace(self, _: Any = None) -> None:
        """Call Celery's tracer and report what became of it. Where the run's code runs."""
        callback: Callable[[Any], object] | None = self.call_.callbacks.success
        outcome: Any
        try:
            outcome = self.call_.target(*self.call_.args)
        except Ended:
            callback, outcome = self.report_of_end()
        except BaseException as error:
            callback, outcome = self.call_.callbacks.error, _information(_failure(error))
        self.ended = True
        self.dispatcher.finish(self, callback, outcome)

    def report_of_end(self) -> Report:
        """Return what to tell Celery of a run that was made to end."""
        if not isinstance(self.doom, Terminated):
            return None, None  # the hard limit was reported when it passed; what was dropped never is
        return self.call_.callbacks.error, _information(TerminatedError(*self.doom.args))

    def left(self) -> None:
        """Its own code has ended: what is left is Celery's bookkeeping, which no limit interrupts."""
        self.ended = True
        if self.limited:
            self.dispatcher.disarm(self)


def _failure(error: BaseException) -> Exception:
    """Return what Celery can take for *error*, which left the tracer."""
    if isinstance(error, MemoryError):  # Celery would take it for the main process's, and exit
        return MemoryExhaustedError(f"out of memory while tracing the task: {error}")
    if isinstance(error, Exception):
        return error
    return WorkerLostError(f"the task raised {error!r}")  # as in prefork, where it ends the process


def _information(error: Exception) -> ExceptionInfo:
    try:
        raise error  # noqa: TRY301 there is no ExceptionInfo without a traceback
    except Exception:
        return ExceptionInfo()
