"""Events that never hold up who sends them.

Celery's heartbeat is published from the worker's main loop with retries that have no end, so an outage in which no
Sentinel answers either stops the loop: runs that end are not told of, and the liveness probe calls the worker hung.
"""

from typing import Any

from celery.app import events
from celery.events import dispatcher

from celeriac.sessions import sessions

_Dispatcher: Any = dispatcher.EventDispatcher
_Events: Any = events.Events


class EventDispatcher(_Dispatcher):
    """Tries once. What cannot be sent is kept for later, but for heartbeats, which say nothing then."""

    def send(self, type: str, *args: Any, **fields: Any) -> Any:  # noqa: A002  # Celery's name for it
        heartbeat = type == "worker-heartbeat"
        if heartbeat and _away():
            return None
        sent = super().send(type, *args, **{**fields, "retry": False})
        if heartbeat:
            self.flush()  # what waited for the end of an outage
        return sent

    def flush(self, *args: Any, **kwargs: Any) -> None:
        """Send what is buffered, unless Redis is known to be away."""
        if not _away():
            super().flush(*args, **kwargs)


class Events(_Events):
    """Set as the app's ``events``."""

    dispatcher_cls = EventDispatcher


def _away() -> bool:
    return any(session.down for session in sessions())
