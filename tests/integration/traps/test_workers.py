"""What stock workers do when Redis falters, to whoever asks how they are, with metrics and with logs."""

import time
from pathlib import Path

import pytest
from flower.utils.broker import Broker
from tests.integration.delivery.conftest import ended

from celeriac.states import State
from celeriac.testing import Server, until

from .sides import LATE, MakeOurs, MakeStock, Stock

SECRET = "4111-1111-1111-1111"


def test_trap_12_1_a_worker_ends_when_redis_dies_under_half_its_slots(
    stock: MakeStock, ours: MakeOurs, server: Server
) -> None:
    side, platform = stock(server, **LATE), ours(server, worker_concurrency="4")
    workers = [each.start("prefork", concurrency=4) for each in (side, platform)]
    for each in (side, platform):
        for _ in range(2):
            each.send("nap", 3)
        until(lambda each=each: len(each.noted("started")) == 2, 30)  # type: ignore[misc]
    server.kill()
    until(lambda: not workers[0].running, 30)
    assert workers[0].stop() == 1
    server.start()
    with server.client() as client:
        assert ended(client, platform.send("add", 1, 1)).state is State.SUCCEEDED
    assert workers[1].running


def test_trap_12_5_a_worker_ends_while_too_few_replicas_are_there(
    stock: MakeStock, ours: MakeOurs, server: Server
) -> None:
    side, platform = stock(server), ours(server)
    stopping, staying = side.start("threads"), platform.start("threads")
    with server.client() as client:
        client.config_set("min-replicas-to-write", 1)
        until(lambda: not stopping.running, 30)
        assert stopping.stop() == 1
        client.config_set("min-replicas-to-write", 0)
        assert ended(client, platform.send("add", 1, 1)).state is State.SUCCEEDED
    assert staying.running


def test_trap_15_3_a_broadcast_waits_its_whole_timeout(plain: Stock) -> None:
    began = time.monotonic()
    assert plain.app.control.ping(timeout=1.5) == [{plain.worker.name: {"ok": "pong"}}]
    assert time.monotonic() - began > 1.4


def test_trap_16_2_flower_knows_brokers_by_their_scheme(server: Server) -> None:
    Broker(server.url)
    with pytest.raises(NotImplementedError):
        Broker(server.url.replace("redis://", "celeriac://"))


def test_trap_17_4_recycled_children_leave_a_set_of_files_each(stock: MakeStock, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    side = stock(worker_max_tasks_per_child=1)
    side.start("prefork", PROMETHEUS_MULTIPROC_DIR=str(folder))
    for _ in range(4):
        side.send("count")
    until(lambda: len(side.noted("counted")) == 4, 60)
    assert len(list(folder.glob("counter_*.db"))) >= 4


def test_trap_20_1_handlers_are_replaced_and_print_is_a_warning(plain: Stock) -> None:
    plain.send("talk").get(timeout=30)
    until(lambda: plain.worker.said("a plain line"))
    text = plain.worker.log.read_text()
    assert "shop says" not in text  # the application's own handler
    (line,) = [line for line in text.splitlines() if "a plain line" in line]
    assert "WARNING" in line


def test_trap_20_2_return_values_are_logged_in_clear(plain: Stock) -> None:
    plain.send("show", SECRET).get(timeout=30)
    until(lambda: plain.worker.said("succeeded in ") and plain.worker.said(SECRET))
