"""The sessions of this process, one for each Redis and worker group: they outlive any connection."""

import os
import threading

from celeriac.delivery import SessionOptions
from celeriac.session import Session

_sessions: dict[tuple[str, str], Session] = {}
_opening = threading.Lock()


def open_session(options: SessionOptions) -> Session:
    """Return this process' session for the Redis and group of *options*, started."""
    key = (options.redis.model_dump_json(), options.group)
    with _opening:
        session = _sessions.get(key)
        if session is None:
            session = _sessions[key] = Session(options)
            session.start()
        return session


def sessions() -> tuple[Session, ...]:
    """Return the sessions of this process."""
    return tuple(_sessions.values())


def close_sessions(deadline: float = 5) -> None:
    """Close all sessions of this process, each within *deadline* seconds."""
    with _opening:
        while _sessions:
            _sessions.popitem()[1].close(deadline)


def _forget() -> None:
    """Forget them in a forked child, which must touch neither its parent's connections nor its locks."""
    global _opening  # noqa: PLW0603  # the parent may have held the lock at the fork
    _opening = threading.Lock()
    _sessions.clear()


os.register_at_fork(after_in_child=_forget)
