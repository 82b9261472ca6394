"""Stopping a worker so that nothing it held is lost, or waits for its lease to end.

What has not started is given back as soon as the worker is told to stop; what runs may end; what still runs after
that is given back too, in front, and the hand-out is not counted against the run.
"""

from typing import Any

from celery import signals

from celeriac.delivery import Delivery
from celeriac.outbox import Requeue
from celeriac.request import Request, Stage
from celeriac.session import Session
from celeriac.sessions import close_sessions, sessions


def install() -> None:
    """Follow Celery's own signals of a worker that stops."""
    signals.worker_shutting_down.connect(_stop_taking)
    signals.worker_shutdown.connect(_on_shutdown)


def _stop_taking(**_: Any) -> None:
    # Runs in a signal handler, which may have interrupted the holder of any lock: it sets flags, no more.
    for session in sessions():
        session.draining = True


def _on_shutdown(**_: Any) -> None:
    finish()


def begin() -> None:
    """Take nothing more, and give back what has not started. From the main thread."""
    for session in sessions():
        session.draining = True
        give_back_unstarted(session)


def give_back_unstarted(session: Session, *, accepted_only: bool = False) -> None:
    """Give back what no slot has begun. *accepted_only*: also what the pool was given but has not begun to run."""
    held = tuple(session.held.items())
    _give_back(session, [tag for tag, what in held if not _begun(what, accepted_only=accepted_only)])


def finish(deadline: float = 5) -> None:
    """Give back all that is still held, tell Redis, and close, within *deadline* seconds."""
    for session in sessions():
        session.draining = True
        _give_back(session, list(session.held))
    close_sessions(deadline)


def _begun(what: object, *, accepted_only: bool) -> bool:
    if not isinstance(what, Request) or what.can_be_dropped:
        return False
    return not (accepted_only and what.stage is Stage.HANDED_OVER)


def _give_back(session: Session, tags: list[str]) -> None:
    """Give deliveries back, the latest first: what is put in front last is taken first, so they keep their order."""
    session.pending.clear()
    for tag in sorted(tags, key=_sequence, reverse=True):
        what = session.held.get(tag)
        if isinstance(what, Request):
            what.give_back()
        elif isinstance(what, Delivery):
            session.tell(Requeue(tag, "", front=True, forgiven=True))


def _sequence(tag: str) -> int:
    return int(tag.split("|", 2)[1])
