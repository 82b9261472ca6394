"""A worker with the asyncio pool, as a process."""

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery import Celery

from celeriac import message
from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import TaskSettings
from celeriac.submit import new_id
from celeriac.testing import Server, ServiceProcess, until

TASKS = "tests.integration.pool.tasks"
READY = "serving health and metrics"


class PoolWorker(ServiceProcess):
    """``celeriac-worker`` on the asyncio pool, taking the queue ``default``."""

    def __init__(self, url: str, folder: Path, **settings: str) -> None:
        super().__init__(
            "celeriac_worker.main",
            url,
            folder,
            READY,
            **{
                "task_packages": TASKS,
                "task_entry_points": "false",
                "worker_group": "default",
                "worker_pool": "asyncio",
                "worker_concurrency": "1000",
                **settings,
            },
        )

    def wait_consuming(self) -> "PoolWorker":
        """Wait until it takes work."""
        self.wait_ready(90)
        until(lambda: self.get("/readyz").status_code == 200, 90)
        return self

    def get(self, path: str) -> httpx.Response:
        up = self.event(READY)
        assert up is not None, self.log
        return httpx.get(f"{up['url']}{path}", timeout=20)

    def metrics(self) -> dict[str, float]:
        """Every series, labels and all, of one scrape."""
        lines = (line.rpartition(" ") for line in self.get("/metrics").text.splitlines() if line[:1] != "#")
        return {series: float(value) for series, _, value in lines}

    def metric(self, series: str) -> float:
        """Value of one series; 0 when there is none."""
        return self.metrics().get(series, 0.0)

    def ended(self, task: str) -> int:
        """How many runs of the task have succeeded."""
        return int(self.metric(f'celery_tasks_total{{status="success",task_name="{TASKS}.{task}"}}'))

    def lines(self, text: str) -> list[str]:
        """Log lines' events that contain *text*."""
        events = (json.loads(line)["event"] for line in self.log.splitlines() if line.startswith("{"))
        return [event for event in events if text in event]


@pytest.fixture
def start(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., PoolWorker]]:
    """Start a worker with these settings; it is killed at the end."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    workers: list[PoolWorker] = []

    def start(**settings: str) -> PoolWorker:
        workers.append(PoolWorker(server.url, tmp_path / f"worker-{len(workers)}", **settings))
        return workers[-1].wait_consuming()

    yield start
    for worker in workers:
        worker.kill()


@pytest.fixture
def app(server: Server) -> Iterator[Celery]:
    """An app that sends and reads results."""
    app = create_app(Settings(redis=RedisSettings(url=server.url), task=TaskSettings()), "worker")
    importlib.import_module(TASKS)
    app.finalize()
    yield app
    app.close()


def send(app: Celery, name: str, *args: Any) -> Any:
    """Submit a run of a task of :mod:`tests.integration.pool.tasks`."""
    return app.tasks[f"{TASKS}.{name}"].delay(*args)


def send_many(server: Server, name: str, args: list[Any], count: int) -> None:
    """Submit *count* runs at once, as a stock producer would, one message each."""
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for _ in range(count):
            pipe.lpush(
                "default",
                message.encode(
                    id=new_id(), task=f"{TASKS}.{name}", args=args, kwargs={}, queue="default", priority=0
                ),
            )
        pipe.execute()


def result(run: Any, deadline: float = 60) -> Any:
    """Wait for a run's end and return its result."""
    until(run.ready, deadline)
    return run.get()
