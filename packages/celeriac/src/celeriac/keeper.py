"""The thread beside a worker's main loop: it renews the lease, and tells what the main loop has no time to tell.

A solo pool runs tasks in the main loop, and any main loop may be slow. During an outage the keeper alone tries to
reach Redis, so that the main loop never waits for it.
"""

import threading
import time
from typing import TYPE_CHECKING

import redis

from celeriac.forking import undisturbed
from celeriac.lease import RENEWALS
from celeriac.wire import Wire

if TYPE_CHECKING:
    from celeriac.session import Session

_FLUSH_AFTER = 0.005
"""Seconds after which the keeper sends what the main loop has not."""


class Keeper:
    """Keeps one session."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._kick = threading.Event()
        self._stopped = threading.Event()
        self._wire = Wire(session.client)
        self._thread = threading.Thread(target=self._run, name="celeriac-keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def kick(self) -> None:
        """Have it look at once. From any thread."""
        self._kick.set()

    def stop(self, deadline: float) -> None:
        """End the thread."""
        self._stopped.set()
        self._kick.set()
        if self._thread.is_alive():
            self._thread.join(deadline)
        self._wire.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                wait = self._attend()
            except (redis.RedisError, OSError) as error:
                self._session.fail(error)
                wait = 0.05
            self._kick.wait(wait)
            self._kick.clear()

    def _attend(self) -> float:
        """Do what is due, and return the seconds until something is due again."""
        session, now = self._session, time.monotonic()
        down = session.down
        if down and now < session.retry_at:
            return session.retry_at - now
        if down or (session.held and now >= session.lease.due()):
            self._connect()
            session.renew(self._wire)
        oldest = session.outbox.oldest()
        if oldest is not None and (down or now - oldest >= _FLUSH_AFTER):
            self._connect()
            session.exchange(self._wire)
        if down:
            session.recover()
        waits = [session.lease.due() - time.monotonic() if session.held else session.lease.seconds / RENEWALS]
        if len(session.outbox):
            waits.append(_FLUSH_AFTER)
        return max(0.001, min(waits))

    def _connect(self) -> None:
        if not self._wire.connected:
            with undisturbed:  # resolving names takes locks that a forked child would inherit
                self._wire.connect()
