"""``make dev ONCE=1``: everything up, one job over HTTP, everything down."""

import socket
from pathlib import Path

import pytest

from celeriac.testing import SentinelGroup, Server

from .conftest import Dev, StartDev

pytestmark = pytest.mark.timeout(240)

SERVICES = ("api", "worker-default", "worker-io", "scheduler", "flower")


def assert_round_trip(dev: Dev) -> None:
    assert dev.wait() == 0, dev.output
    assert "50,000 orders, EUR 15,449,133.53" in dev.output
    assert "/artifacts/chart.png" in dev.output
    assert "curl -s http://127.0.0.1:" in dev.output
    for service in SERVICES:
        assert f"{service} stopped, exit code 0" in dev.output
    assert_nothing_left(dev)


def assert_nothing_left(dev: Dev) -> None:
    assert dev.processes() == {}
    for port in dev.ports():
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"somebody listens on {port}"


def test_once_ends_with_the_report_and_the_addresses(start_dev: StartDev) -> None:
    dev = start_dev("ONCE=1")
    assert_round_trip(dev)
    assert "valkey stopped, exit code 0" in dev.output


def test_a_named_redis_is_used_instead(start_dev: StartDev, server: Server) -> None:
    dev = start_dev("ONCE=1", f"REDIS_URL={server.url}")
    assert_round_trip(dev)
    assert "valkey" not in dev.output
    with server.client() as client:
        assert client.zcard("celeriac:runs:cookbook.report") == 1


def test_sentinels_are_used_instead(start_dev: StartDev, tmp_path: Path) -> None:
    with SentinelGroup(tmp_path / "sentinel") as group:
        dev = start_dev("ONCE=1", f"REDIS_URL={group.url}")
        assert_round_trip(dev)
        with group.master().client() as client:
            assert client.zcard("celeriac:runs:cookbook.report") == 1
