"""One worker per pool, and each test on each pool with a sync and an async task."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from celery import Celery
from celery.result import AsyncResult
from tests.integration.conformance.differences import DIFFERENCES, POOLS

from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import TaskSettings
from celeriac.testing import Server, ServiceProcess, until

TASKS = "tests.integration.conformance.behaviours"
RECYCLED = "recycled"
READY = "serving health and metrics"
QUEUES = [*POOLS, RECYCLED]


class Subject:
    """A pool under test with one kind of task."""

    def __init__(
        self, app: Celery, client: redis.Redis, workers: "Workers", pool: str, kind: str, behaviour: str
    ) -> None:
        self.app = app
        self.client = client
        self.workers = workers
        self.pool = pool
        self.kind = kind
        self.difference = DIFFERENCES.get((behaviour, pool, kind))
        """Why this pool does otherwise; None when it does as documented."""

    def signature(self, name: str, *args: Any, **options: Any) -> Any:
        """Return a signature of this kind of the task *name*, for this pool."""
        return self.app.tasks[f"{name}.{self.kind}"].signature(args, queue=self.pool, **options)

    def send(self, name: str, *args: Any, **options: Any) -> "AsyncResult[Any]":
        """Submit a run."""
        result: AsyncResult[Any] = self.signature(name, *args).apply_async(**options)
        return result

    def notes(self, key: str) -> list[str]:
        """Return what tasks left under *key*."""
        return [value.decode() for value in self.client.lrange(f"test:{key}", 0, -1) if isinstance(value, bytes)]


def state(result: "AsyncResult[Any]") -> str:
    """Return a run's state as the backend has it now."""
    return str(result.state)


def finished(result: "AsyncResult[Any]", deadline: float = 30) -> Any:
    """Wait for a run's end and return its result, or the exception it failed with."""
    until(result.ready, deadline)
    return result.result


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def app(server: Server) -> Iterator[Celery]:
    settings = Settings(
        redis=RedisSettings(url=server.url), task=TaskSettings(queues=QUEUES, default_queue=QUEUES[0])
    )
    app = create_app(settings, "worker")
    importlib.import_module(TASKS)
    app.finalize()
    yield app
    app.close()


class Workers:
    """Starts a pool's worker when it is first asked for."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._processes: dict[str, ServiceProcess] = {}

    def start(self, pool: str, queue: str | None = None, **settings: str) -> None:
        """Start the worker of *queue*, the pool's own by default, unless it runs."""
        queue = queue or pool
        if queue in self._processes:
            return
        process = self._processes[queue] = self.launch(pool, queue, **settings).wait_ready(90)
        up = process.event(READY)
        assert up is not None
        until(lambda: httpx.get(f"{up['url']}/readyz").status_code == 200 or process.process.poll() is not None, 90)

    def launch(self, pool: str, queue: str, **settings: str) -> ServiceProcess:
        """Start a process."""
        return ServiceProcess(
            "celeriac_worker.main",
            self._url,
            self._folder / queue,
            READY,
            **{
                "task_packages": TASKS,
                "task_entry_points": "false",
                "task_queues": ",".join(QUEUES),
                "task_default_queue": QUEUES[0],
                "worker_group": queue,
                "worker_pool": pool,
                "worker_concurrency": str(POOLS[pool]),
                **settings,
            },
        )

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()


@pytest.fixture(scope="session")
def workers(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    root = Path(__file__).parents[3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(root) + os.pathsep + os.environ.get("PYTHONPATH", ""))
        patch.setenv("CELERIAC_REDIS_URL", server.url)
        workers = Workers(server.url, tmp_path_factory.mktemp("workers"))
        yield workers
        workers.stop()


@pytest.fixture(params=POOLS)
def pool(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["sync", "async"])
def subject(
    request: pytest.FixtureRequest, pool: str, app: Celery, workers: Workers, server: Server
) -> Iterator[Subject]:
    behaviour = request.node.originalname.removeprefix("test_")
    with server.client() as client:
        workers.start(pool)
        yield Subject(app, client, workers, pool, request.param, behaviour)
