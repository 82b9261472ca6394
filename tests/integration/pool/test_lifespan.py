"""Clients shared by the tasks of a process."""

from collections.abc import Callable

import pytest
from celery import Celery
from tests.integration.pool.conftest import PoolWorker, result, send

from celeriac.testing import Server, until


@pytest.mark.parametrize("pool", ["asyncio", "prefork", "threads", "solo", "gevent"])
def test_opened_once_and_closed_with_the_process(
    start: Callable[..., PoolWorker], server: Server, app: Celery, pool: str
) -> None:
    worker = start(worker_pool=pool, worker_concurrency="1")
    assert len({result(send(app, "uses_client")) for _ in range(5)}) == 1
    with server.client() as client:
        assert client.lrange("test:lifespan", 0, -1) == [b"open"]
        assert worker.end() == 0
        until(lambda: client.lrange("test:lifespan", 0, -1) == [b"open", b"close"])
