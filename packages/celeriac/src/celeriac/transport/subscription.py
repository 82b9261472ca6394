"""How a channel hears what is sent to all: remote control, and events."""

from typing import Any, Final

import redis
from redis.client import PubSub

READ_SECONDS: Final = 1.0
"""Time within which a message that has begun must be there."""


class Subscription(PubSub):
    """Reads what is there, and never waits for a message.

    kombu reads in the main loop, once the descriptor is readable, and redis-py then waits without a deadline: a
    descriptor that was another's a moment ago, or half a message of a server that died, would stop the loop for ever.
    """

    def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """Return the next message, or None where there is none.

        Raises:
            redis.RedisError: the connection was lost, or the rest of a message did not come. It is closed by then, so
                that the loop does not find it readable again.
        """
        connection: Any = self.connection  # typed as always None
        try:
            if connection is None or not connection.can_read(timeout=0):
                return None
        except redis.RedisError:
            connection.disconnect()
            raise
        return super().parse_response(block=False, timeout=READ_SECONDS)  # type: ignore[no-untyped-call]  # in redis-py
