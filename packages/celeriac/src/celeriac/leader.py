"""Leadership among schedulers: a lease in Redis and a fencing token.

A scheduler leads while ``celeriac:leader`` holds its token, ``<fence>:<instance>``, under a lease. Every script of a
leader is given the token and refuses another one, so an old leader that was paused, cut off or on a wrong clock
changes nothing when it comes back. Losing the lease means standing by; nothing here ever ends the process.
"""

import os
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import redis
import structlog

from celeriac import keys, scripts
from celeriac.errors import FencedError
from celeriac.redis import is_unreachable

log = structlog.get_logger(__name__)

_TAKEOVER_MARGIN = 0.05
"""Seconds a standby waits beyond the end of the leader's lease, so that it finds it ended."""
_OUTAGE_WAIT = 0.5
"""Seconds between attempts while Redis does not answer."""


def instance_name() -> str:
    """Return a name for this process that no other start of it has, here or elsewhere."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


class Leader:
    """This process' claim to lead. :meth:`run` has a thread of its own; any other may use the rest."""

    def __init__(self, client: redis.Redis, *, lease_seconds: float, instance: str | None = None) -> None:
        self.client = client
        self.instance = instance or instance_name()
        self._lease = lease_seconds
        self._token: str | None = None
        self._ends = 0.0
        self._heard = float("-inf")
        self._changed = threading.Condition()

    @property
    def fence(self) -> str | None:
        """The fencing token while this process leads, None while it stands by.

        None as soon as the lease may have ended by this process' own monotonic clock, whatever Redis would say.
        """
        with self._changed:
            return self._token if time.monotonic() < self._ends else None

    @property
    def silence(self) -> float:
        """Seconds since Redis last answered a request for the lease; infinite before the first answer."""
        return time.monotonic() - self._heard

    def wait_leading(self, timeout: float) -> bool:
        """Wait until this process leads, for *timeout* seconds at the most, and tell whether it does."""
        with self._changed:
            if self.fence is None:
                self._changed.wait(timeout)
            return self.fence is not None

    def call(self, script: str, keys_: Sequence[str | bytes], arguments: Sequence[scripts.Argument]) -> Any:
        """Run a leader's script, with the fencing token as its first argument before *arguments*.

        Raises:
            FencedError: this process does not lead (any more); it stands by from now on.
        """
        token = self.fence
        if token is None:
            raise FencedError(self.instance)
        try:
            return scripts.run(self.client, script, keys_, [token, *arguments])
        except redis.ResponseError as error:
            if not str(error).startswith("FENCED"):
                raise
            self._stand_by(token)
            raise FencedError(self.instance) from error

    def run(self, stop: threading.Event) -> None:
        """Lead, or stand by to lead, until *stop* is set; then give the lease up, so that another leads at once."""
        while not stop.is_set():
            stop.wait(self.attempt())
        self.resign()

    def attempt(self) -> float:
        """Take or renew the lease once, and return the seconds after which to do so again."""
        asked = time.monotonic()
        try:
            leads, token, remaining = scripts.run(
                self.client, "lead", [keys.LEADER, keys.FENCE], [self.instance, round(self._lease * 1000)]
            )
        except redis.RedisError as error:
            if not is_unreachable(error):
                log.exception("leadership cannot be asked for")
            elif self.fence is None:
                self._stand_by(self._token)
            return _OUTAGE_WAIT
        self._heard = time.monotonic()
        if not leads:
            self._stand_by(self._token)
            return min(int(remaining) / 1000 + _TAKEOVER_MARGIN, self._lease / 3)
        self._lead(token.decode(), asked + self._lease)
        return self._lease / 3

    def resign(self) -> None:
        """Give the lease up if this process holds it. Does nothing when Redis cannot be reached: the lease ends."""
        token = self._token
        if token is None:
            return
        self._stand_by(token)
        try:
            scripts.run(self.client, "resign", [keys.LEADER], [token])
        except redis.RedisError as error:
            log.warning("the lease was not given up and ends by itself", error=str(error))

    def _lead(self, token: str, ends: float) -> None:
        with self._changed:
            if token != self._token:
                log.info("leading", fence=token)
            self._token, self._ends = token, ends
            self._changed.notify_all()

    def _stand_by(self, token: str | None) -> None:
        """Stop leading as *token*; a newer token stays."""
        with self._changed:
            if token is None or token != self._token:
                return
            self._token, self._ends = None, 0.0
        log.warning("standing by", fence=token)
