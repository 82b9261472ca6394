"""The transports kombu finds by class path or URL scheme."""

import time
from typing import TYPE_CHECKING, Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis

from celeriac.settings.task import DeliverySettings
from celeriac.transport.channel import LeasedChannel, LeasedSentinelChannel
from celeriac.transport.poller import Poller

if TYPE_CHECKING:
    from kombu import Connection


_REGISTER_SECONDS = 1.0
_SENTINEL_SCHEME = "celeriac-sentinel://"

_Transport: Any = kombu_redis.Transport
_SentinelTransport: Any = kombu_redis.SentinelTransport


class _Hub:
    """Celery's event loop as kombu's transport sees it: a reader that is there already is not registered again.

    Kombu registers all descriptors at each turn of the loop, two system calls for each. Here that happens for new
    ones, and once a second for all, since descriptors may be taken out behind the loop's back.
    """

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self._again_at = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hub, name)

    def add_reader(self, fd: int, callback: Any, *args: Any) -> None:
        """Watch *fd*."""
        now = time.monotonic()
        if now >= self._again_at:
            self._again_at = now + _REGISTER_SECONDS
            for known, (reader, arguments) in tuple(self._hub.readers.items()):
                if reader == callback:
                    self._hub.add_reader(known, reader, *arguments)
        known = self._hub.readers.get(fd)
        if known is None or known[0] != callback:
            self._hub.add_reader(fd, callback, *args)


class RedisTransport(_Transport):
    """Redis with leased delivery."""

    Channel = LeasedChannel
    cycle: Poller
    client: "Connection"

    def __init__(self, client: "Connection", **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.cycle = Poller()
        self.recoverable_connection_errors = self.connection_errors
        """Without these kombu gives up what fails again on a new connection, as in a failover it may for seconds."""
        given = (client.transport_options or {}).get("celeriac") or {}
        default = DeliverySettings.model_fields["delay_threshold_seconds"].default
        self.delay_threshold = float(given.get("delay_threshold_seconds", default))

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        super().register_with_event_loop(connection, _Hub(loop))


class SentinelTransport(RedisTransport, _SentinelTransport):
    """The same through Sentinel."""

    Channel = LeasedSentinelChannel

    def __init__(self, client: "Connection", **kwargs: Any) -> None:
        # kombu looks for Sentinels among the URLs of its own scheme.
        client.alt = [url.replace(_SENTINEL_SCHEME, "sentinel://", 1) for url in client.alt]
        super().__init__(client, **kwargs)


def register() -> None:
    """Make the schemes ``celeriac-redis``, ``celeriac-rediss`` and ``celeriac-sentinel`` known to kombu.

    A scheme with a ``+`` would not do: kombu splits there and leaves the rest of the URL unread.
    """
    TRANSPORT_ALIASES["celeriac-redis"] = "celeriac.transport:RedisTransport"
    TRANSPORT_ALIASES["celeriac-rediss"] = "celeriac.transport:RedisTransport"
    TRANSPORT_ALIASES["celeriac-sentinel"] = "celeriac.transport:SentinelTransport"
