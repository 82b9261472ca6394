"""Celery's consumer, for which a message that cannot run is a dead letter rather than a line in the log."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.concurrency.base import BasePool
from celery.worker import consumer as celery_consumer
from celery.worker.state import reserved_requests

from celeriac import drain
from celeriac.cancels import Cancels
from celeriac.dead_letters import Reason
from celeriac.redis import connect
from celeriac.request import Request
from celeriac.session import Session
from celeriac.sessions import sessions

logger = logging.getLogger(__name__)

_EVENTS_SECONDS = 0.1
"""How long a task's events wait for others to be sent with."""
_EVENTS_MAX = 1000
"""Events sent at a time."""

_CeleryConsumer: Any = celery_consumer.Consumer


class Consumer(_CeleryConsumer):
    """Set as ``worker_consumer``."""

    _cancels: Cancels | None = None
    _events_wait = False

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Bury a message whose body cannot be read, by its content type or a type envelope in it."""
        if not _bury(message, Reason.MALFORMED, exc):
            super().on_decode_error(message, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Bury what is no task message at all."""
        if not _bury(message, Reason.UNDECODABLE, ValueError("it is no task message")):
            super().on_unknown_message(body, message)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Bury a run of a task that this worker does not have."""
        if not _bury(message, Reason.UNKNOWN_TASK, exc):
            super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Bury a run whose headers make no sense, or whose content type is not accepted."""
        if not _bury(message, Reason.MALFORMED, exc):
            super().on_invalid_task(body, message, exc)

    def on_ready(self) -> None:
        """Tell the channel's session and feed what they cannot know: the worker's name, and how many slots it has."""
        channel = self.task_consumer.channel
        session = getattr(channel, "session", None)
        if session is not None:
            session.worker = self.hostname
            if not session.held:
                session.lease.has_slots(self.pool.num_processes)
            self._hear_cancels(session)
            if self.app.conf.worker_disable_prefetch:
                channel.free_slots = self._free_slots
        if self.event_dispatcher:
            self.event_dispatcher.buffer_limit = _EVENTS_MAX
        super().on_ready()

    def on_send_event_buffered(self) -> None:
        """Send events in batches. Celery sends what has gathered whenever its loop comes round, some at a time."""
        if self.hub and not self._events_wait:
            self._events_wait = True
            self.hub.call_later(_EVENTS_SECONDS, self._send_events)

    def _send_events(self) -> None:
        self._events_wait = False
        self._flush_events()

    def stop(self) -> None:
        """Give back what has not started, before the pool is stopped: it would run all that it was given."""
        drain.begin()
        if self._cancels is not None:
            self._cancels.stop()
        super().stop()

    def on_close(self) -> None:
        """Give back what Celery forgets when it builds the consumer anew: what waits, and what a pool flushes."""
        for session in sessions():
            drain.give_back_unstarted(session, accepted_only=self._pool_flushes)
        super().on_close()

    @property
    def _pool_flushes(self) -> bool:
        """Whether the pool drops what it was given and has not begun, when the connection is lost. Prefork does."""
        return getattr(getattr(self.pool, "flush", None), "__func__", None) is not BasePool.flush

    def _hear_cancels(self, session: Session) -> None:
        if self._cancels is None:
            listener = partial(self._on_cancel, session)
            held = partial(_unsettled, session)
            self._cancels = Cancels(connect(session.options.redis), session.options.group, listener, held)
            self._cancels.start()

    def _on_cancel(self, session: Session, run: str, hard: bool) -> bool:
        """Act on a cancellation, and tell whether the run is here.

        It is acted on in the main loop where that is a hub. A green pool has none, and its main loop waits for a free
        slot while it hands a run over: there it is done at once, in the greenlet that heard of it.
        """
        act = self.call_soon if self.hub else _at_once
        found = False
        for request in tuple(session.held.values()):
            if isinstance(request, Request) and request.id == run:
                found = True
                act(request.cancel_unstarted)
                if hard:
                    act(self._terminate, request)
        return found

    def _terminate(self, request: Request) -> None:
        if request.settled:
            return
        try:
            request.terminate(self.pool)
        except NotImplementedError:
            logger.info("Run %s goes on: this pool cannot terminate one", request.id)

    def _free_slots(self) -> int:
        limit = getattr(self.controller, "max_concurrency", None) or self.pool.num_processes
        return int(limit) - len(reserved_requests)


def _at_once(act: Callable[..., object], *args: Any) -> None:
    act(*args)


def _bury(message: Any, reason: str, error: Exception) -> bool:
    bury = getattr(message.channel, "bury", None)
    if bury is None:
        return False
    headers = message.headers or {}
    bury(message.delivery_tag, str(headers.get("id") or ""), reason, f"{type(error).__name__}: {error}")
    return True


def _unsettled(session: Session) -> list[str]:
    return [request.id for request in tuple(session.held.values()) if isinstance(request, Request)]
