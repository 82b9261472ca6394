"""The flow of messages into one channel: when to reserve, how many, and when to sleep.

The feed is *armed* when its last reserve found nothing more and the server is watching the lists for it. Then it
sleeps until the server pushes a change, or for the floor interval, whichever comes first.
"""

import time
from collections.abc import Callable, Sequence
from random import uniform
from typing import Protocol

import redis
import structlog

from celeriac.delivery import Delivery, Reserve
from celeriac.redis import is_unreachable
from celeriac.session import Session
from celeriac.transport.signal import Signal
from celeriac.wire import Wire

log = structlog.get_logger(__name__)

FLOOR = (5.0, 10.0)
"""Seconds an armed feed sleeps before it looks by itself, in case a push was swallowed on its way."""
UNTRACKED_FLOOR = (0.5, 1.0)
"""The same where the server does not push."""
RESERVE_LIMIT = 100
"""Messages asked for at a time."""


class Sink(Protocol):
    """What a feed fills: the leased side of a channel."""

    def room(self) -> int:
        """Return how many messages may be handed to the consumer now."""

    def lists(self) -> tuple[Sequence[str], int]:
        """Return the lists to take from, first to be served first, and how many share a priority step."""

    def deliver(self, delivery: Delivery) -> None:
        """Hand a message to its consumer."""

    def watch(self, fd: int) -> None:
        """Have :meth:`Feed.on_readable` called when *fd* is readable."""

    def unwatch(self, fd: int) -> None:
        """Stop that."""


class Feed:
    """Fills *sink* from *session* as long as there is room."""

    def __init__(self, session: Session, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._sink = sink
        self._clock = clock
        self._signal = Signal()
        self._wire = Wire(session.client, on_disconnect=self._on_disconnect)
        self._watched = -1
        self._armed = False
        self._closed = False
        self._looks = False
        """Whether to ask if there are messages, without taking any: what an idle worker does now and then."""
        self._look_at = 0.0
        sink.watch(self._signal.fileno())
        session.listen(self._signal.set)
        self._signal.set()

    def on_readable(self, fd: int) -> None:
        """Deal with a readable descriptor: a push, a lost connection, or a wake-up."""
        if fd == self._watched:
            try:
                if self._wire.drain():
                    self._armed = False
            except (redis.RedisError, OSError) as error:
                self._wire.close()
                self._armed = False
                self._session.fail(error)
        self.pump()

    def wake(self) -> None:
        """Look at the lists soon, whatever the server has said."""
        self._armed = False
        self._signal.set()

    def tick(self) -> None:
        """Look at the lists if they have not been looked at for the floor interval. To be called now and then."""
        if self._armed and self._clock() >= self._look_at:
            self._looks = True
            self._signal.set()

    def pump(self) -> None:
        """Send outcomes, take what there is room for, and hand it over; then sleep if there is nothing to do."""
        pending = self._session.pending
        if not pending and not self._session.down:
            try:
                self._exchange()
            except (redis.RedisError, OSError) as error:
                self._armed = False
                if not is_unreachable(error) and not isinstance(error, OSError):
                    log.exception("redis refuses to hand out messages")
                self._signal.clear()
                if not self._session.down:
                    self._signal.set()
                return
        while pending and not self._closed and not self._session.draining:
            self._sink.deliver(pending.popleft())
        if self._wants():
            self._signal.set()
            return
        self._signal.clear()
        if self._wants():  # something came between the look and the clearing
            self._signal.set()

    def _wants(self) -> bool:
        """Whether there is something to do that nobody will tell of."""
        session = self._session
        if session.down:
            return False
        return (not self._armed and not session.draining and not session.full and self._sink.room() > 0) or (
            self._armed and (len(session.outbox) > 0 or self._looks)
        )

    def _exchange(self) -> None:
        session = self._session
        lists, width = self._sink.lists()
        room = min(self._sink.room(), RESERVE_LIMIT)
        reserve = None
        if not self._armed and room > 0 and lists and not session.draining and not session.full:
            reserve = Reserve(room, lists, width)
        elif not self._looks and not len(session.outbox):
            return
        self._looks = False
        answer = session.exchange(self._wire, reserve, [("EXISTS", *lists)] if lists else [])
        self._watch_wire()
        if reserve is not None:
            self._armed = not answer.left and answer.taken < reserve.count
        elif answer.left:
            self._armed = False
        if self._armed:
            self._look_at = self._clock() + uniform(*(FLOOR if self._wire.tracks else UNTRACKED_FLOOR))
            if self._wire.drain():
                self._armed = False

    def _watch_wire(self) -> None:
        fd = self._wire.fileno()
        if fd != self._watched:
            self._on_disconnect()
            self._watched = fd
            self._sink.watch(fd)

    def _on_disconnect(self) -> None:
        if self._watched >= 0:
            self._sink.unwatch(self._watched)
            self._watched = -1

    def close(self) -> None:
        """Stop taking. What was taken and not handed over yet stays with the session, for the next feed."""
        self._closed = True
        self._session.unlisten(self._signal.set)
        self._sink.unwatch(self._signal.fileno())
        self._wire.close()
        self._signal.close()
