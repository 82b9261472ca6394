from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio

from celeriac.leader import Leader
from celeriac.redis import connect_async
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Server


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def client(shared_server: Server) -> Iterator[redis.Redis]:
    """An empty database, for tests that do not hurt the server."""
    with shared_server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
async def connection(client: redis.Redis, shared_server: Server) -> AsyncIterator[redis.asyncio.Redis]:
    """The same, on asyncio, as the services connect."""
    async with connect_async(RedisSettings(url=shared_server.url)) as connection:
        yield connection


@pytest.fixture
def leader(client: redis.Redis) -> Leader:
    """One that leads, for as long as a test takes."""
    leader = Leader(client, lease_seconds=60)
    leader.attempt()
    assert leader.fence is not None
    return leader


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, to be killed and hung."""
    with Server(tmp_path / "valkey") as server:
        yield server
