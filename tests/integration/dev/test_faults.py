"""What is in the way of ``make dev`` is named on one line that says what to do."""

import os
import signal
import socket
from pathlib import Path

import pytest

from celeriac.testing.server import free_port

from .conftest import Dev, StartDev
from .test_round_trip import assert_nothing_left

pytestmark = pytest.mark.timeout(240)


def assert_fault(dev: Dev, *words: str) -> None:
    assert dev.wait() != 0, dev.output
    (line,) = [line for line in dev.output.splitlines() if line.startswith("celeriac dev: ") and words[0] in line]
    for word in words:
        assert word in line
    assert_nothing_left(dev)


@pytest.mark.parametrize(("variable", "what"), [("API_PORT", "the API"), ("FLOWER_PORT", "Flower")])
def test_a_taken_port(start_dev: StartDev, variable: str, what: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        dev = start_dev("ONCE=1", **{variable: str(port)})
        assert dev.wait() != 0
    assert f"Port {port} for {what} is taken" in dev.output
    assert f"{variable}={port + 1} make dev" in dev.output
    assert dev.processes() == {}


def test_a_broken_task_package(start_dev: StartDev, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import celery\n\nraise RuntimeError('no licence file')\n")
    dev = start_dev("ONCE=1", PYTHONPATH=str(tmp_path), CELERIAC_TASK_PACKAGES="broken")
    assert_fault(dev, "does not import", "'broken'", "RuntimeError: no licence file", "broken.py:3")


def test_a_process_that_dies(start_dev: StartDev) -> None:
    dev = start_dev()
    dev.wait_for("all is up")
    os.kill(dev.pid_of("celeriac-api"), signal.SIGKILL)
    assert_fault(dev, "api was killed by signal 9")


def test_a_redis_that_is_not_there(start_dev: StartDev) -> None:
    dev = start_dev("ONCE=1", f"REDIS_URL=redis://127.0.0.1:{free_port()}/0")
    assert dev.wait() != 0
    assert "REDIS_URL: no Redis answers" in dev.output
    assert dev.processes() == {}


def test_a_setting_that_is_none(start_dev: StartDev) -> None:
    dev = start_dev("ONCE=1", CELERIAC_WORKER_DRAIN_SECONDS="soon")
    assert dev.wait() != 0
    assert "CELERIAC_WORKER_DRAIN_SECONDS" in dev.output


def test_a_second_one_in_the_same_folder(start_dev: StartDev) -> None:
    first = start_dev()
    first.wait_for("all is up")
    second = start_dev("ONCE=1", DEV_FOLDER=str(first.folder))
    assert second.wait() != 0
    assert "Another celeriac dev (process" in second.output
