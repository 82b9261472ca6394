from collections.abc import AsyncIterator

import pytest
import redis
import redis.asyncio

from celeriac.leader import Leader
from celeriac.schedule.store import Schedules
from celeriac.settings import Settings
from celeriac.testing import Server
from celeriac_scheduler.fire import Fire
from celeriac_scheduler.metrics import Metrics

KEEP = 3600


@pytest.fixture
def fire(leader: Leader) -> Fire:
    """The duty under test, to be given its turns by hand."""
    return Fire(Settings(), Metrics(leader))


@pytest.fixture
async def schedules(client: redis.Redis, shared_server: Server) -> AsyncIterator[Schedules]:
    async with redis.asyncio.Redis(port=shared_server.port) as connection:
        yield Schedules(connection, "UTC", KEEP)
