"""The event side of the transport: kombu's poller, which also watches feeds and survives lost connections."""

import contextlib
import time
from typing import TYPE_CHECKING, Any

import structlog
from kombu.transport import redis as kombu_redis

if TYPE_CHECKING:
    from celeriac.transport.channel import LeasedChannel

log = structlog.get_logger(__name__)

FEED = "FEED"
"""Type of a descriptor that belongs to a channel's feed."""
_RECONNECT_SECONDS = 1.0


_Poller: Any = kombu_redis.MultiChannelPoller


class Poller(_Poller):
    """Watches feeds beside kombu's own connections.

    A lost connection of kombu's (remote control, events) is opened again here. Stock kombu raises it into Celery's
    consumer, which then drops all it has not started and builds everything anew.
    """

    _channels: set["LeasedChannel"]
    _fd_to_chan: dict[int, tuple["LeasedChannel", str]]

    def __init__(self) -> None:
        super().__init__()
        self._retry_at = 0.0

    def watch(self, channel: "LeasedChannel", fd: int) -> None:
        """Call the feed of *channel* when *fd* is readable."""
        self._fd_to_chan[fd] = (channel, FEED)
        self.poller.register(fd, self.eventflags)

    def unwatch(self, fd: int) -> None:
        """Stop watching *fd*."""
        if self._fd_to_chan.pop(fd, None) is not None:
            with contextlib.suppress(KeyError, ValueError, OSError):
                self._unregister_from_poll(fd)

    def on_poll_start(self) -> None:
        for channel in tuple(self._channels):
            if channel.feed is not None:
                channel.feed.tick()
        if time.monotonic() < self._retry_at or self._away:
            return
        try:
            super().on_poll_start()
        except Exception as error:
            self._survive(error)

    @property
    def _away(self) -> bool:
        """Whether Redis is known not to answer: the keeper tries, so that the main loop waits for no connection."""
        return any(channel.session is not None and channel.session.down for channel in tuple(self._channels))

    def on_readable(self, fileno: int) -> Any:
        channel, kind = self._fd_to_chan.get(fileno, (None, None))
        if channel is None:
            return None
        if kind == FEED:
            if channel.feed is not None:
                channel.feed.on_readable(fileno)
            return True
        try:
            return super().on_readable(fileno)
        except Exception as error:
            return self._survive(error)

    def handle_event(self, fileno: int, event: int) -> Any:
        if self._fd_to_chan.get(fileno, (None, None))[1] == FEED:
            return self.on_readable(fileno), self
        return super().handle_event(fileno, event)

    def _survive(self, error: Exception) -> None:
        """Wait and connect again after a connection error; raise anything else."""
        errors = next((channel.connection_errors for channel in self._channels), ())
        if not isinstance(error, errors):
            raise error
        self._retry_at = time.monotonic() + _RECONNECT_SECONDS
        log.info("a broker connection was lost and is opened again", error=str(error))

    def close(self) -> None:
        for fd, (_, kind) in tuple(self._fd_to_chan.items()):
            if kind == FEED:
                self.unwatch(fd)
        super().close()
