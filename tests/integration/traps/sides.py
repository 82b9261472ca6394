"""The two sides of these tests: stock Celery and ours, each with its own app, transport and workers."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import redis
from celery import Celery
from celery.result import AsyncResult

from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Server, Worker

APPS = Path(__file__).parent / "apps"
LATE: Mapping[str, Any] = {"task_acks_late": True, "worker_prefetch_multiplier": 1}
SWEEPING: Mapping[str, object] = {
    "visibility_timeout": 1,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
"""Transport options with which stock Celery does within a second what it does after an hour by default."""


class Side:
    """One of the two: starts its workers, and reads what its tasks noted."""

    app_name: str

    def __init__(self, folder: Path, server: Server) -> None:
        self.server = server
        self.notes = folder / "notes"
        self._folder = folder
        self._workers: list[Worker] = []

    def environment(self) -> dict[str, str]:
        raise NotImplementedError

    def start(
        self, pool: str = "solo", *, concurrency: int = 1, options: tuple[str, ...] = (), **variables: str
    ) -> Worker:
        """Start a worker with further environment *variables* and wait until it consumes."""
        return self.launch(pool, concurrency=concurrency, options=options, **variables).wait_ready()

    def launch(
        self, pool: str = "solo", *, concurrency: int = 1, options: tuple[str, ...] = (), **variables: str
    ) -> Worker:
        """The same without waiting, for one that may be lost at once."""
        worker = Worker(
            self._folder,
            self.app_name,
            path=APPS,
            pool=pool,
            concurrency=concurrency,
            name=f"{self.app_name}{len(self._workers)}",
            options=options,
            environment={"TRAP_NOTES": str(self.notes), **self.environment(), **variables},
        )
        self._workers.append(worker)
        return worker.start()

    def noted(self, name: str) -> list[str]:
        """Return what tasks noted under *name*, the first first."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]

    @property
    def worker(self) -> Worker:
        """The worker that was started last."""
        return self._workers[-1]

    def end(self) -> None:
        for worker in self._workers:
            worker.kill()


class Stock(Side):
    """Stock Celery, with the settings *conf* for sender and worker."""

    app_name = "trap_stock"

    def __init__(self, folder: Path, server: Server, **conf: Any) -> None:
        super().__init__(folder, server)
        self.conf: dict[str, Any] = {
            "broker_url": server.url,
            "result_backend": server.url,
            "broker_connection_retry_on_startup": True,
            **conf,
        }

    def environment(self) -> dict[str, str]:
        return {"TRAP_CONF": json.dumps(self.conf)}

    @cached_property
    def app(self) -> Celery:
        """A sender without the tasks' code."""
        app = Celery("stock", set_as_current=False)
        app.conf.update(self.conf)
        return app

    def send(self, task: str, *args: object, **options: Any) -> "AsyncResult[Any]":
        """Send a task by name."""
        result: AsyncResult[Any] = self.app.send_task(f"trap_tasks.{task}", args, **options)
        return result

    @contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        with self.server.client() as client:
            yield client

    def waiting(self, queue: str = "celery") -> int:
        """Return how many messages lie in *queue*."""
        with self.redis() as client:
            return int(client.llen(queue))

    def held(self) -> int:
        """Return how many messages workers have taken and not acknowledged."""
        with self.redis() as client:
            return int(client.hlen("unacked"))


class Ours(Side):
    """This platform, with *settings* as in the environment: without the prefix, in lower case."""

    app_name = "trap_ours"

    def __init__(self, folder: Path, server: Server, **settings: str) -> None:
        super().__init__(folder, server)
        self._settings = {f"CELERIAC_{name.upper()}": value for name, value in settings.items()}

    def environment(self) -> dict[str, str]:
        return {"CELERIAC_REDIS_URL": self.server.url, **self._settings}

    def send(self, task: str, *args: object, **fields: Any) -> str:
        """Submit a run, and return its id."""
        submission = Submission(task=f"trap_tasks.{task}", args=args, **{"queue": "default", "priority": 3, **fields})
        with self.server.client() as client:
            return submit(client, submission, DeliverySettings()).id


MakeStock = Callable[..., Stock]
MakeOurs = Callable[..., Ours]
