"""A connection to a broker of several URLs."""

from typing import Any

from kombu import Connection as KombuConnection

from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.transport import SentinelTransport

SENTINELS = Settings(redis=RedisSettings(url="sentinel://a:1,b:2,c:3/0"))


def test_the_transport_survives_a_switch_to_the_next_sentinel() -> None:
    connection = create_app(SENTINELS, "worker").connection_for_read()
    for url in [*connection.alt[1:], connection.alt[0]]:
        connection.switch(url)
        assert connection.get_transport_cls() is SentinelTransport
    assert connection.clone().get_transport_cls() is SentinelTransport


def test_so_does_that_of_a_pools_connection() -> None:
    pooled: Any = create_app(SENTINELS, "worker").connection_for_write().Pool(1).new()
    ports = []
    for _ in range(4):
        assert isinstance(pooled.transport, SentinelTransport)
        pooled.maybe_switch_next()
        ports.append(pooled.port)
    assert ports == [2, 3, 1, 2]


def test_kombus_own_does_not() -> None:
    """If this fails, ``celeriac.connection`` may have become needless."""
    pooled: Any = (
        KombuConnection("sentinel://a:1;sentinel://b:2", transport="celeriac.transport:SentinelTransport")
        .Pool(1)
        .new()
    )
    assert isinstance(pooled.transport, SentinelTransport)
    pooled.maybe_switch_next()
    assert not isinstance(pooled.transport, SentinelTransport)
