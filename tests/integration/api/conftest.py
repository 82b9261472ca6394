"""The API as a process, on a real server, with a catalogue made from real functions."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from celeriac.app import create_app
from celeriac.catalog import Entry
from celeriac.catalog.build import entries
from celeriac.catalog.store import publish
from celeriac.settings import Settings
from celeriac.testing import Server, ServiceProcess, until


def report(year: int, country: str = "DE", *, limit: int | None = None) -> None:
    """Add up a year's orders."""


def anything(*args: Any, **kwargs: Any) -> None:
    """Takes what comes."""


def plan(at: datetime) -> None:
    """Has a parameter that JSON can only write as text."""


@pytest.fixture(scope="session")
def offered() -> list[Entry]:
    """What a worker of these functions offers, without the shared tasks that other tests have imported."""
    app = create_app(Settings(), "sender")
    for function in (report, anything, plan):
        decorate: Any = app.task(name=f"shop.{function.__name__}", shared=False)
        decorate(function)
    return [entry for entry in entries(app) if entry.name.startswith("shop.")]


class ApiProcess(ServiceProcess):
    """``celeriac-api`` on a free port."""

    def __init__(self, url: str, folder: Path, **settings: str) -> None:
        super().__init__("celeriac_api.main", url, folder, "listening", api_port="0", **settings)
        self.wait_ready()
        listening = self.event("listening")
        assert listening is not None
        self.url: str = listening["url"]

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, **options)


StartApi = Callable[..., ApiProcess]


@pytest.fixture
def start_api(tmp_path: Path) -> Iterator[StartApi]:
    """Starts APIs; what still runs at the end is killed."""
    started: list[ApiProcess] = []

    def start(url: str, **settings: str) -> ApiProcess:
        started.append(ApiProcess(url, tmp_path / f"api-{len(started)}", **settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def shared_api(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    process = ApiProcess(shared_server.url, tmp_path_factory.mktemp("api"))
    yield process
    assert process.end() == 0, process.log


@pytest.fixture
def http(shared_api: ApiProcess, client: redis.Redis, offered: list[Entry]) -> Iterator[httpx.Client]:
    """The API on an empty database with the catalogue published, and no copy of an earlier one in its memory."""
    publish(client, "default", offered)
    names = sorted(entry.name for entry in offered)
    with shared_api.client() as http:
        until(lambda: [item["name"] for item in http.get("/v1/catalog").json()["items"]] == names, 10)
        yield http
