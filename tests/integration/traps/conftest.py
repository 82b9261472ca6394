"""Stock Celery beside ours: the same tasks, the same Redis, each with its own transport and worker.

Every test of this directory asserts a fault of stock Celery as it is locked in ``uv.lock``. One that fails after an
upgrade says that the fault was cured: its row in ``docs/traps.md`` and what we do about it can be looked at again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from celeriac.testing import Server

from .sides import MakeOurs, MakeStock, Ours, Stock


@pytest.fixture
def stock(client: redis.Redis, shared_server: Server, tmp_path: Path) -> Iterator[MakeStock]:
    """Makes stock sides on the shared server, which is empty, or on one of the test's own."""
    made: list[Stock] = []

    def make(server: Server = shared_server, **conf: Any) -> Stock:
        made.append(Stock(tmp_path / f"stock{len(made)}", server, **conf))
        return made[-1]

    yield make
    for side in made:
        side.end()


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """A stock worker with all defaults, on a server of its own, for tests that neither hurt nor configure it."""
    folder = tmp_path_factory.mktemp("plain")
    with Server(folder / "valkey") as server:
        side = Stock(folder, server)
        side.start()
        yield side
        side.end()


@pytest.fixture
def ours(client: redis.Redis, shared_server: Server, tmp_path: Path) -> Iterator[MakeOurs]:
    """The same for ours."""
    made: list[Ours] = []

    def make(server: Server = shared_server, **settings: str) -> Ours:
        made.append(Ours(tmp_path / f"ours{len(made)}", server, **settings))
        return made[-1]

    yield make
    for side in made:
        side.end()
