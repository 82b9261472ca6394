"""What the pool's threads have to say to the worker's main thread, in the order they say it."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from kombu.asynchronous import Hub

logger = logging.getLogger(__name__)


class Mailbox:
    """Calls posted from any thread, made by the main thread.

    Celery's bookkeeping (active requests, events, acknowledgements) belongs to the main thread. Its hub keeps what it
    is asked to call in a set, so the order is kept here and the hub is only asked to empty the box.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._hub: Hub | None = None
        self._asked = False
        self._posted = threading.Event()

    def attach(self, hub: Hub | None) -> None:
        """Have *hub* empty the box from now on; None when its loop has ended and :meth:`wait` is used."""
        self._hub = hub
        if hub is not None and self._calls:
            hub.call_soon(self.deliver)

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Have the main thread call *function*."""
        self._calls.append((function, args))
        if not self._asked:
            self._asked = True
            hub = self._hub
            if hub is None:
                self._posted.set()
            else:
                hub.call_soon(self.deliver)

    def deliver(self) -> None:
        """Make the calls that are in the box. One that fails is logged and stops no other."""
        self._asked = False
        self._posted.clear()
        calls = self._calls
        while calls:
            function, args = calls.popleft()
            try:
                function(*args)
            except Exception:
                logger.exception("a callback of the pool failed")

    def wait(self, seconds: float) -> None:
        """Wait until something is posted, *seconds* at the most."""
        if not self._calls:
            self._posted.wait(seconds)
