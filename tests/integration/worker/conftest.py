"""Worker processes with a task package of the tests' own."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from celeriac import keys
from celeriac.record import Record
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Server, ServiceProcess, until

PACKAGE = Path(__file__).parent / "errands.py"


class WorkerProcess(ServiceProcess):
    """``celeriac-worker`` with the package ``errands``."""

    def __init__(self, url: str, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PACKAGE.name).write_text(PACKAGE.read_text())
        chosen = {"task_packages": "errands", "task_entry_points": "false", "worker_port": "0", **settings}
        super().__init__("celeriac_worker.main", url, folder, "serving health and metrics", **chosen)

    def wait_consuming(self) -> "WorkerProcess":
        self.wait_ready()
        until(lambda: self.get("/readyz").status_code == 200 or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log
        return self

    def get(self, path: str) -> httpx.Response:
        serving = self.event("serving health and metrics")
        assert serving is not None
        return httpx.get(f"{serving['url']}{path}", timeout=10)

    def metric(self, series: str) -> float:
        """Value of *series*, labels and all; 0 when there is none."""
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0


StartWorker = Callable[..., WorkerProcess]
Send = Callable[..., str]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers; what still runs at the end is killed."""
    started: list[WorkerProcess] = []

    def start(server: Server, **settings: str) -> WorkerProcess:
        started.append(WorkerProcess(server.url, tmp_path / f"worker-{len(started)}", **settings))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def send(server: Server) -> Iterator[Send]:
    """Submits a run of ``errands`` on the test's own server and returns its id."""
    with server.client() as client:

        def send_(task: str, *args: Any) -> str:
            run = Submission(task=f"errands.{task}", queue="default", priority=3, args=args)
            return submit(client, run, DeliverySettings()).id

        yield send_


def result(server: Server, id: str) -> Any:
    """The stored result of a run as stock Celery keeps it; None while there is none."""
    with server.client() as client:
        return client.get(keys.RESULT + id)


def record(client: redis.Redis, id: str) -> Record:
    """The record of a run."""
    found = Record.read(id, client.hgetall(keys.RUN + id))
    assert found is not None
    return found
