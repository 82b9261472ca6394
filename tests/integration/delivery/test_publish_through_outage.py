"""What a run sends while Redis is away."""

import threading

from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Server, until


def test_a_worker_process_sends_when_redis_is_back(server: Server) -> None:
    app = create_app(Settings(redis=RedisSettings(url=server.url)), "worker")
    app.send_task("shop.first", queue="default")
    server.kill()
    sent: list[str] = []
    sender = threading.Thread(target=lambda: sent.append(app.send_task("shop.second", queue="default").id))
    sender.start()
    sender.join(8)
    assert sender.is_alive(), "it must not give up"
    server.start()
    until(lambda: sent, 30)
    sender.join(10)
    with server.client() as client:
        assert client.exists(f"celeriac:run:{sent[0]}")
