"""Stopping ``make dev``, in order or not: nothing is left behind."""

import os
import re
import signal
from pathlib import Path

import httpx
import pytest

from celeriac.testing import until

from .conftest import Dev, StartDev
from .test_round_trip import SERVICES, assert_nothing_left

pytestmark = pytest.mark.timeout(240)


def submit_nap(dev: Dev, seconds: float) -> str:
    answer = httpx.post(f"{dev.api}/v1/tasks", json={"name": "naps.nap", "kwargs": {"seconds": seconds}}, timeout=10)
    assert answer.status_code == 202, answer.text
    id: str = answer.json()["id"]
    until(lambda: re.search(rf"naps\.nap\[{id}\] received", dev.output))
    return id


def started(start_dev: StartDev, package: Path) -> Dev:
    dev = start_dev(PYTHONPATH=str(package), CELERIAC_TASK_PACKAGES="naps")
    dev.wait_for("all is up")
    return dev


def test_sigterm_lets_the_running_task_finish(start_dev: StartDev, nap_package: Path) -> None:
    dev = started(start_dev, nap_package)
    id = submit_nap(dev, 5)
    dev.process.terminate()
    dev.wait()
    assert re.search(rf"naps\.nap\[{id}\] succeeded", dev.output), dev.output
    for service in (*SERVICES, "valkey"):
        assert f"{service} stopped, exit code 0" in dev.output, dev.output
    assert_nothing_left(dev)


def test_the_second_signal_waits_for_nobody(start_dev: StartDev, nap_package: Path) -> None:
    dev = started(start_dev, nap_package)
    submit_nap(dev, 60)
    supervisor = dev.pid_of("celeriac dev")
    os.kill(supervisor, signal.SIGINT)
    dev.wait_for("again to kill what still runs")
    os.kill(supervisor, signal.SIGINT)
    assert dev.wait() != 0
    assert "worker-default did not stop in order" in dev.output
    assert_nothing_left(dev)


def test_a_hung_process_is_killed(start_dev: StartDev, nap_package: Path) -> None:
    dev = started(start_dev, nap_package)
    os.kill(dev.pid_of("celeriac-scheduler"), signal.SIGSTOP)
    dev.process.terminate()
    dev.wait()
    assert "scheduler did not stop in order" in dev.output
    assert "worker-default stopped, exit code 0" in dev.output
    assert_nothing_left(dev)


def test_nothing_outlives_a_killed_supervisor(start_dev: StartDev, nap_package: Path) -> None:
    dev = started(start_dev, nap_package)
    submit_nap(dev, 2)
    os.kill(dev.pid_of("celeriac dev"), signal.SIGKILL)
    until(lambda: not dev.processes(), 60)
    assert_nothing_left(dev)
