"""What stock Celery makes of settings: queues, priorities, timeouts, Sentinels."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from celeriac import keys
from celeriac.redis import connect
from celeriac.settings.redis import RedisSettings
from celeriac.testing import SentinelGroup
from celeriac.testing.server import free_port

from .sides import MakeStock, Stock


def test_trap_3_5_a_visibility_timeout_of_the_result_backend_has_no_effect(stock: MakeStock) -> None:
    """Many a page sets it there. Ours has no such setting to misplace."""
    side = stock(result_backend_transport_options={"visibility_timeout": 7})
    with side.app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        assert channel.visibility_timeout == 3600


def test_trap_6_1_a_revoke_with_no_worker_up_is_forgotten(stock: MakeStock) -> None:
    side = stock()
    run = side.send("add", 1, 1)
    side.app.control.revoke(run.id)
    side.start()
    assert run.get(timeout=30) == 2


@pytest.mark.parametrize(
    ("producer", "ran"),
    [
        pytest.param({"priority_steps": list(range(10))}, ["0", "3", "6", "9"], id="steps"),
        pytest.param({"sep": ":"}, ["0", "1", "2"], id="separator"),
    ],
)
def test_trap_14_2_priority_steps_that_differ_strand_messages(
    plain: Stock, tmp_path: Path, producer: dict[str, object], ran: list[str]
) -> None:
    sender = Stock(tmp_path, plain.server, broker_transport_options=producer)
    sent = {str(priority): sender.send("add", priority, 0, priority=priority) for priority in range(10)}
    for priority in ran:
        assert sent[priority].get(timeout=30) == int(priority)
    assert plain.send("add", 1, 1, priority=9).get(timeout=30) == 2  # all lists were looked at again
    with plain.redis() as client:
        stranded = {name: int(client.llen(name)) for name in client.scan_iter("celery?*", _type="list")}
        assert sum(stranded.values()) == 10 - len(ran)
        assert {run.state for priority, run in sent.items() if priority not in ran} == {"PENDING"}
        assert not any(name.decode() in keys.queue_lists("celery") for name in stranded)
        client.delete(*stranded)


@pytest.fixture(scope="module")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    with SentinelGroup(tmp_path_factory.mktemp("sentinel"), servers=1, sentinels=1, password="of-the-data") as group:
        yield group


def test_trap_12_3_each_dead_sentinel_costs_seconds(sentinels: SentinelGroup) -> None:
    dead, live = free_port(), sentinels.sentinels[0].port
    urls = ";".join(f"sentinel://:of-the-data@127.0.0.1:{port}" for port in (dead, live))
    stock = Celery("stock", broker=urls, set_as_current=False)
    stock.conf.broker_transport_options = {"master_name": "mymaster"}
    began = time.monotonic()
    stock.send_task("t")
    assert time.monotonic() - began > 2.5
    settings = RedisSettings(url=f"sentinel://:of-the-data@127.0.0.1:{dead},127.0.0.1:{live}/0")
    with connect(settings) as client:
        began = time.monotonic()
        assert client.llen("celery") == 1
        assert time.monotonic() - began < 1.5


def test_trap_12_7_each_half_of_celery_reads_credentials_from_another_url(sentinels: SentinelGroup) -> None:
    live = sentinels.sentinels[0].port
    bare, full = f"sentinel://127.0.0.1:{live}", f"sentinel://:of-the-data@127.0.0.1:{live}"
    stock = Celery("stock", broker=f"{full};{bare}", backend=f"{bare};{full}", set_as_current=False)
    options = {"master_name": "mymaster", "sentinel_kwargs": {"retry": None}}
    stock.conf.update(broker_transport_options=options, result_backend_transport_options=options)
    connection: Any
    with stock.connection_for_write() as connection:
        assert connection.default_channel.client.ping()
        connection.maybe_switch_next()  # as after an error
        assert connection.password is None
    backend: Any = stock.backend
    with pytest.raises(redis.AuthenticationError):
        backend.client.ping()
    with connect(RedisSettings(url=f"sentinel://:of-the-data@127.0.0.1:{live},127.0.0.1:{live}/0")) as client:
        assert client.ping()
