"""Leased delivery over Redis, as a kombu transport.

``broker_transport="celeriac.transport:RedisTransport"`` (or ``SentinelTransport``) with a stock URL, or, after an
import of this package, the URL schemes ``celeriac-redis://``, ``celeriac-rediss://`` and ``celeriac-sentinel://``.
"""

from celeriac.transport.channel import LeasedChannel, LeasedSentinelChannel
from celeriac.transport.transport import RedisTransport, SentinelTransport, register

__all__ = ["LeasedChannel", "LeasedSentinelChannel", "RedisTransport", "SentinelTransport"]

register()
