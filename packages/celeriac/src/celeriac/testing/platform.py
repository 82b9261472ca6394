"""Workers and schedulers around one Redis, for tests that submit a run and look at what became of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import redis
from celery import Celery
from celery.app import app_or_default
from celery.canvas import Signature

from celeriac import keys, packages
from celeriac.app import create_app
from celeriac.record import Record
from celeriac.redis import connect
from celeriac.settings import Settings
from celeriac.testing.process import ServiceProcess
from celeriac.testing.waiting import until


class Platform:
    """Starts this product's processes with *settings*, and ends them all.

    *settings* are as in the environment, without the prefix and in lower case: ``worker_pool="solo"``. The task
    packages among them are imported here too, so that their tasks can be sent with ``.delay()``.
    """

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self._folder = folder
        self._url = url
        self._variables = {"task_entry_points": "false", "worker_concurrency": "2", **settings}
        self._started: list[ServiceProcess] = []
        self._before: Celery

    @cached_property
    def settings(self) -> Settings:
        """The settings that all processes share."""
        sections: dict[str, dict[str, str]] = {"redis": {"url": self._url}}
        for name, value in self._variables.items():
            section, _, field = name.partition("_")
            sections.setdefault(section, {})[field] = value
        return Settings.model_validate(sections)

    @cached_property
    def app(self) -> Celery:
        """A sender with the task packages loaded, and the one that shared tasks belong to in this process."""
        app = create_app(self.settings, "sender")
        app.set_default()
        app.set_current()
        packages.load(app, self.settings.task)
        return app

    @cached_property
    def client(self) -> redis.Redis:
        """A client of the Redis that all use."""
        return connect(self.settings.redis)

    def worker(self, **settings: str) -> ServiceProcess:
        """Start a worker, with further *settings* of its own. It is not awaited: a run waits for it."""
        return self.start("celeriac_worker.main", settings)

    def scheduler(self, **settings: str) -> ServiceProcess:
        """Start a scheduler, which moves delayed and lost runs."""
        return self.start("celeriac_scheduler.main", settings)

    def flower(self, **settings: str) -> ServiceProcess:
        """Start Flower; its own options are read from ``FLOWER_*`` in the environment."""
        return self.start("celeriac_flower.main", settings)

    def start(self, module: str, settings: Mapping[str, str] = MappingProxyType({})) -> ServiceProcess:
        """Start ``python -m <module>``."""
        folder = self._folder / f"{module.partition('.')[0]}-{len(self._started)}"
        process = ServiceProcess(module, self._url, folder, "", **{**self._variables, **settings})
        self._started.append(process)
        return process

    def send(self, work: Signature[Any] | str, *args: Any, **options: Any) -> str:
        """Send a canvas, or a task by name with *args*, as ``apply_async`` does; return its id."""
        signature = self.app.signature(work, args=args) if isinstance(work, str) else work
        return str(signature.apply_async(**options).id)

    @contextmanager
    def current(self, app: Celery) -> Iterator[Celery]:
        """Make *app* the one that shared tasks belong to, for a while."""
        app.set_current()
        try:
            yield app
        finally:
            self.app.set_current()

    def record(self, id: str) -> Record:
        """Return the record of a run, which must exist."""
        record = Record.read(id, self.client.hgetall(keys.RUN + id))
        if record is None:
            raise AssertionError(f"there is no run {id}")
        return record

    def ended(self, id: str, deadline: float = 60) -> Record:
        """Wait until the run has been sent and has ended, and return its record."""
        until(lambda: self.client.hexists(keys.RUN + id, "finished"), deadline)
        return self.record(id)

    def __enter__(self) -> Self:
        self._before = app_or_default()
        self.app.finalize()  # now, since a signature belongs to the app that is current when it is made
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            if process.process.poll() is None:
                process.kill()
        self.client.close()
        self._before.set_current()
