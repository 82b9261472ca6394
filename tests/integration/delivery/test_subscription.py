"""What is sent to all workers is heard in the main loop, which nothing may stop."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kombu import Connection, Exchange

from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Link, Server, until

DEADLINE = 5
ALL = Exchange("all", "fanout")


class Listener:
    """A channel that hears a fanout exchange, driven as the main loop drives it."""

    def __init__(self, connection: Connection) -> None:
        self.heard: list[Any] = []
        self.readable = 0
        opened: Any = connection.channel()  # typed as a channel that can do nothing
        self.channel = opened
        self.poller = opened.connection.cycle
        self.channel.exchange_declare("all", "fanout")
        self.channel.queue_declare("one.all")
        self.channel.queue_bind("one.all", "all", "")
        self.channel.basic_consume("one.all", True, self.heard.append, "one")
        self.poller.on_poll_start()
        until(lambda: self.channel.subclient.connection.can_read(0))
        self.look()  # the subscription's confirmation

    def look(self) -> None:
        """Have the loop find the descriptor readable."""
        self.poller.on_readable(self.channel.subclient.connection._sock.fileno())  # as kombu watches it

    def turn(self) -> None:
        """Have the loop come round once."""
        self.poller.on_poll_start()
        for fd, _ in self.poller.poller.poll(0.05) or ():
            self.readable += 1
            self.poller.on_readable(fd)

    def look_in_time(self) -> None:
        executor = ThreadPoolExecutor()
        try:
            executor.submit(self.look).result(DEADLINE)
        finally:
            executor.shutdown(wait=False)


@pytest.fixture
def link(server: Server) -> Iterator[Link]:
    with Link(server.port) as link:
        yield link


@pytest.fixture
def listener(link: Link) -> Iterator[Listener]:
    app = create_app(Settings(redis=RedisSettings(url=link.url)), "worker")
    with app.connection_for_read() as connection:
        yield Listener(connection)


def tell_all(server: Server) -> None:
    app = create_app(Settings(redis=RedisSettings(url=server.url)), "sender")
    with app.connection_for_write() as connection:
        connection.Producer().publish({"n": 1}, exchange=ALL, declare=[ALL])


def test_a_message_is_heard(server: Server, listener: Listener) -> None:
    tell_all(server)
    until(lambda: listener.channel.subclient.connection.can_read(0))
    listener.look_in_time()
    assert [message.decode() for message in listener.heard] == [{"n": 1}]


def test_a_descriptor_that_holds_nothing_stops_nobody(listener: Listener) -> None:
    listener.look_in_time()
    assert listener.heard == []


def test_half_a_message_stops_nobody(server: Server, link: Link, listener: Listener) -> None:
    link.cut(after=100)
    with server.client() as client:
        client.publish("/0.all", "x" * 1000)
    until(lambda: listener.channel.subclient.connection.can_read(0))
    listener.look_in_time()
    assert listener.heard == []


def test_a_lost_connection_is_opened_again(server: Server, listener: Listener) -> None:
    server.kill()
    for _ in range(20):
        listener.turn()
    server.start()

    def heard() -> bool:
        tell_all(server)
        listener.turn()
        return bool(listener.heard)

    until(heard)
    assert listener.readable < 10
