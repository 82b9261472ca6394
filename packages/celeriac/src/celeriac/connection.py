"""A broker connection that outlives its server, whether it is one's own or the pool's."""

from typing import Any

from kombu import Connection as KombuConnection
from kombu.connection import ConnectionPool as KombuConnectionPool
from kombu.connection import PooledConnection as KombuPooledConnection


class Connection(KombuConnection):
    """kombu's, with two faults cured that show when a broker fails over."""

    def switch(self, conn_str: str) -> None:
        """Take the parameters of another URL, and keep the transport. Does not connect.

        kombu takes the transport from the URL's scheme, so that a worker whose first Sentinel did not answer would
        go on with the stock transport for ``sentinel://``: no lease, no record, no count of deliveries.
        """
        transport = self.transport_cls
        super().switch(conn_str)
        self.transport_cls = transport

    @property
    def default_channel(self) -> Any:
        """The channel in use, a new one where the last was closed with its connection.

        kombu hands the closed one out again, and the retry of a publish fails with an AttributeError.
        """
        channel: Any = super().default_channel
        if channel.closed:
            forget: Any = self.revive  # typed as taking a channel, it forgets the old one for any other
            forget(None)
            channel = super().default_channel
        return channel

    def Pool(self, limit: int | None = None, **options: Any) -> "ConnectionPool":  # noqa: N802  # kombu's name for it
        """Return a pool of connections like this one."""
        return ConnectionPool(self, limit, **options)


class PooledConnection(KombuPooledConnection, Connection):  # type: ignore[misc]  # the stubs type kombu's own askew
    """One that a pool holds."""


class ConnectionPool(KombuConnectionPool):
    """kombu's, whose connections are of kombu's own class, whatever class it was made from."""

    def new(self) -> PooledConnection:
        """Return another connection. It connects when first used."""
        return PooledConnection(self, **dict(self.connection.info()))
