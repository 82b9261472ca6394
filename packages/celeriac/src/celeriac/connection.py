"""A broker connection that outlives its server."""

from typing import Any

from kombu import Connection as KombuConnection


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
