"""A connection to a broker of several URLs."""

from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.transport import SentinelTransport


def test_the_transport_survives_a_switch_to_the_next_sentinel() -> None:
    settings = Settings(redis=RedisSettings(url="sentinel://a:26379,b:26379,c:26379/0"))
    connection = create_app(settings, "worker").connection_for_read()
    for url in [*connection.alt[1:], connection.alt[0]]:
        connection.switch(url)
        assert connection.get_transport_cls() is SentinelTransport
    assert connection.clone().get_transport_cls() is SentinelTransport
