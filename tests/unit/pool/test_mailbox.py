import threading

import pytest
from kombu.asynchronous import Hub

from celeriac.pool.mailbox import Mailbox


def test_calls_are_made_in_order_whoever_posts() -> None:
    made: list[int] = []
    mailbox = Mailbox()
    hub = Hub()
    mailbox.attach(hub)

    def post() -> None:
        for i in range(1000):
            mailbox.post(made.append, i)

    try:
        thread = threading.Thread(target=post)
        thread.start()
        thread.join()
        while len(made) < 1000:
            hub.run_once()
        assert made == list(range(1000))
    finally:
        hub.close()


def test_what_was_posted_before_the_hub_came_is_not_lost() -> None:
    made: list[int] = []
    mailbox = Mailbox()
    mailbox.post(made.append, 1)
    hub = Hub()
    try:
        mailbox.attach(hub)
        hub.run_once()
        assert made == [1]
    finally:
        hub.close()


def test_without_a_hub_the_owner_waits(caplog: pytest.LogCaptureFixture) -> None:
    made: list[int] = []
    mailbox = Mailbox()

    def post() -> None:
        mailbox.post(lambda: 1 / 0)
        mailbox.post(made.append, 2)

    thread = threading.Thread(target=post)
    thread.start()
    mailbox.wait(10)
    thread.join()
    mailbox.deliver()
    assert made == [2]
    assert "a callback of the pool failed" in caplog.text
