"""A producer's connection that was lost."""

from typing import Any

from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Server


def test_a_lost_connection_has_a_new_channel(server: Server) -> None:
    app = create_app(Settings(redis=RedisSettings(url=server.url)), "sender")
    with app.connection_for_write() as connection:
        lost = connection.default_channel
        connection.collect()
        found: Any = connection.default_channel
        assert found is not lost
        assert not found.closed
        found.queue_declare("default")
