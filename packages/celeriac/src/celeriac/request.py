"""A run in a worker: Celery's request, whose outcome goes to Redis as one step.

Celery stores a result, acknowledges, and tells events in several places, one after the other, depending on what
happened. This class lets it do all that, notes what it said, and puts one entry in the session's outbox at the end.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, NoReturn

from billiard.einfo import ExceptionInfo
from celery import states
from celery.utils.dispatch import Signal
from celery.worker import request as celery_request
from greenlet import GreenletExit

from celeriac.capture import Capture, attach, describe, error_of
from celeriac.dead_letters import Reason
from celeriac.errors import MemoryExhaustedError
from celeriac.outbox import Entry, Finish, Requeue, Start
from celeriac.outbox import Retry as RetryEntry
from celeriac.session import Session
from celeriac.states import State
from celeriac.trace import Traced

run_began = Signal(name="run_began")
"""Sent in the main process, or in the thread that runs it, when a delivery begins to run. The sender is the task's
name; ``waited`` is seconds since it was submitted, fell due or came back."""

_STATES = {
    states.SUCCESS: State.SUCCEEDED,
    states.FAILURE: State.FAILED,
    states.REVOKED: State.CANCELLED,
}


def _run_out_of_memory(error: MemoryError) -> NoReturn:
    raise MemoryExhaustedError(str(error) or "the run ran out of memory") from error


_CeleryRequest: Any = celery_request.Request


class Stage(Enum):
    """How far a delivery has come in this process."""

    WAITING = auto()
    """For its time, a rate limit or a slot."""
    HANDED_OVER = auto()
    """To the pool."""
    RUNNING = auto()
    SETTLED = auto()


class Request(_CeleryRequest):
    """One delivery of one run. On a transport that is not Celeriac's it behaves as Celery's own."""

    session: Session | None = None
    droppable = False
    """Whether a run that the pool has and has not begun can be dropped: its start is announced in the very thread or
    greenlet that would run it. Set by the strategy."""
    result_seconds = 0
    """How long results are kept; 0 for ever. Set by the strategy."""

    def __init__(self, message: Any, **options: Any) -> None:
        super().__init__(message, **options)
        self.tag: str = message.delivery_tag
        self.capture = Capture()
        self.stage = Stage.WAITING
        self._settling = False
        self._requeue: bool | None = None
        self._reason = ""
        session: Session | None = getattr(message.channel, "session", None)
        if session is not None and self.tag in session.held:
            self.session = session
            self._could_begin = time.monotonic() - getattr(session.held[self.tag], "waited", 0.0)
            session.held[self.tag] = self

    # -- what Celery calls

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        if self.session is None:
            super().on_accepted(pid, time_accepted)
            return
        if self.settled or self._settling:
            if self.droppable:
                raise GreenletExit  # it was given back or cancelled meanwhile; it leaves without a word
            return
        self.stage = Stage.RUNNING
        self.session.tell(Start(self.tag, self.id, at=time_accepted))
        run_began.send(sender=self.task_name, waited=max(0.0, time_accepted - self._could_begin))
        self._settling = True  # an early acknowledgement is not the end of the run
        try:
            super().on_accepted(pid, time_accepted)
        finally:
            self._settling = False
            self.acknowledged = False

    def on_success(self, failed__retval__runtime: Any, **kwargs: Any) -> None:
        if self.session is None:
            super().on_success(failed__retval__runtime[:3], **kwargs)
            return
        if isinstance(failed__retval__runtime, ExceptionInfo):
            self.on_failure(failed__retval__runtime)
            return
        if isinstance(failed__retval__runtime, Traced):
            self.capture = failed__retval__runtime.capture
        if failed__retval__runtime[0]:
            self.on_failure(failed__retval__runtime[1], return_ok=True)
            return
        with self._settle():
            super().on_success(failed__retval__runtime[:3], **kwargs)

    def on_failure(self, exc_info: ExceptionInfo, send_failed_event: bool = True, return_ok: bool = False) -> None:
        if self.session is None:
            super().on_failure(exc_info, send_failed_event, return_ok)
            return
        with self._settle(exc_info):
            exc_info, return_ok = self._survivable(exc_info, return_ok)
            super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if self.session is None or soft:
            super().on_timeout(soft, timeout)
            return
        with self._settle():
            self.capture.state = states.FAILURE
            super().on_timeout(soft, timeout)

    def acknowledge(self) -> None:
        if self.session is None:
            super().acknowledge()
        elif not self._settling:
            with self._settle():
                pass

    def reject(self, requeue: bool = False) -> None:
        if self.session is None:
            super().reject(requeue)
            return
        if self.acknowledged:
            return
        self.acknowledged = True
        self.send_event("task-rejected", requeue=requeue)
        if self._settling:
            self._requeue = requeue
            return
        with self._settle():
            self._requeue = requeue

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:
        self._reason = reason
        with self._settle():
            self.capture.state = states.REVOKED
            super()._announce_revoked(reason, terminated, signum, expired)

    def _success_was_stored(self) -> Any:
        """Answer from what is known here: a child that was lost has stored nothing."""
        return super()._success_was_stored() if self.session is None else False

    # -- what becomes of it

    @property
    def _context(self) -> Any:
        context = super()._context
        if self.session is not None:
            context.delivery_info = attach(context.delivery_info, self.capture)
        return context

    def _survivable(self, info: ExceptionInfo, return_ok: bool) -> tuple[ExceptionInfo, bool]:
        """Make an ordinary failure of a MemoryError, which stock Celery raises again and ends the worker with."""
        error = error_of(info)
        if not isinstance(error, MemoryError):
            return info, return_ok
        try:
            _run_out_of_memory(error)
        except MemoryExhaustedError:
            return ExceptionInfo(), False

    @contextlib.contextmanager
    def _settle(self, info: ExceptionInfo | None = None) -> Iterator[None]:
        """Let Celery keep its books, then tell Redis what the outcome was. Only the outermost, and only once."""
        if self._settling:
            yield
            return
        self._settling = True
        try:
            yield
        finally:
            self._settling = False
            if not self.settled and self.session is not None:
                self._tell(self._outcome(info))

    @property
    def settled(self) -> bool:
        """Whether Redis has been told, or will be, what became of this delivery."""
        return self.stage is Stage.SETTLED

    def give_back(self) -> None:
        """Put the message back where it came from, as if it had never been taken. Not for what is settled."""
        if self.session is not None and not self.settled:
            self._tell(Requeue(self.tag, self.id, front=True, forgiven=True))

    def cancel_unstarted(self) -> None:
        """End the run as cancelled if it has not started."""
        if self.can_be_dropped:
            self._announce_revoked("revoked", False, None, False)

    @property
    def can_be_dropped(self) -> bool:
        """Whether nothing has begun that could not be kept from beginning."""
        return self.stage is Stage.WAITING or (self.stage is Stage.HANDED_OVER and self.droppable)

    def _tell(self, entry: Entry) -> None:
        self.stage = Stage.SETTLED
        self.acknowledged = True
        if self.session is not None:
            self.session.tell(entry)
        self._message.channel.qos.settled(self.tag)

    def _outcome(self, info: ExceptionInfo | None) -> Entry:
        capture = self.capture
        error = capture.error or (describe(info) if info is not None else "")
        resend = capture.resend
        if resend is not None:
            return RetryEntry(
                self.tag,
                self.id,
                resend.task,
                resend.list,
                resend.queue,
                resend.priority,
                resend.message,
                due=resend.due,
                retries=resend.retries,
                error=error,
                result=capture.result if capture.state == states.RETRY else "",
                result_seconds=self.result_seconds,
            )
        if capture.replaced:
            return Finish(self.tag, self.id, "replaced")
        if self._already_cancelled:
            return Requeue(self.tag, self.id, front=True, forgiven=True)
        if self._requeue:
            return Requeue(self.tag, self.id, front=False, error=error)
        state = self._final_state(info)
        if (
            state is State.FAILED
            and error
            and (said := json.loads(error))["type"] == MemoryExhaustedError.__qualname__
        ):
            return Finish(
                self.tag,
                self.id,
                State.DEAD,
                error=said["message"],
                reason=Reason.MEMORY,
                result=capture.result,
            )
        return Finish(
            self.tag,
            self.id,
            state,
            error=error if state is State.FAILED else "",
            reason=self._reason,
            result=capture.result if capture.state in states.READY_STATES else "",
            result_seconds=self.result_seconds,
        )

    def _final_state(self, info: ExceptionInfo | None) -> State:
        stored = self.capture.state
        if stored == states.REVOKED and self._reason == "expired":
            return State.EXPIRED
        if stored in _STATES:
            return _STATES[stored]
        failed = bool(self.capture.error) or info is not None or self._requeue is False
        return State.FAILED if failed else State.SUCCEEDED
