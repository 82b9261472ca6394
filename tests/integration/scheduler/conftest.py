"""Real scheduler processes."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from celeriac.testing import ServiceProcess


class SchedulerProcess(ServiceProcess):
    """``celeriac-scheduler`` on a free port."""

    def __init__(self, url: str, folder: Path, **settings: str) -> None:
        super().__init__("celeriac_scheduler.main", url, folder, "scheduler is up", **settings)
        self.wait_ready()
        up = self.event("scheduler is up")
        assert up is not None
        self._port = up["port"]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self._port}{path}", timeout=5)

    def metric(self, name: str) -> float | None:
        """Value of the series *name*, labels and all; None when there is none."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else None

    def leads(self) -> bool:
        return self.metric("celeriac_scheduler_leader") == 1


StartScheduler = Callable[..., SchedulerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartScheduler]:
    """Starts schedulers; what still runs at the end is killed."""
    started: list[SchedulerProcess] = []

    def start(url: str, **settings: str) -> SchedulerProcess:
        started.append(SchedulerProcess(url, tmp_path / f"scheduler-{len(started)}", **settings))
        return started[-1]

    yield start
    for scheduler in started:
        scheduler.kill()
