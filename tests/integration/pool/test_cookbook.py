"""The cookbook's pattern for async tasks with a shared client, on real workers and a real HTTP server."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from celery import Celery
from tests.integration.pool.conftest import PoolWorker, result

from cookbook.patterns import shared_client


class Handler(BaseHTTPRequestHandler):
    """Answers with the status that the path names; ``/never`` with nothing."""

    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]]
    ended: threading.Event

    def do_GET(self) -> None:
        type(self).connections.add(self.client_address)
        if self.path == "/never":
            type(self).ended.wait(60)
            return
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    Handler.connections = set()
    Handler.ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Handler.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_runs_share_a_connection(start: Callable[..., PoolWorker], app: Celery, site: str, pool: str) -> None:
    start(worker_pool=pool, worker_concurrency="1", task_packages="cookbook.patterns.shared_client")
    for _ in range(5):
        assert result(shared_client.status_of.delay(f"{site}/204")) == 204
    assert len(Handler.connections) == 1


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_the_soft_limit_leaves_what_was_found(
    start: Callable[..., PoolWorker], app: Celery, site: str, pool: str
) -> None:
    start(worker_pool=pool, worker_concurrency="1", task_packages="cookbook.patterns.shared_client")
    urls = [f"{site}/200", f"{site}/404", f"{site}/never"]
    run = shared_client.statuses.apply_async((urls,), soft_time_limit=2, time_limit=30)
    assert result(run) == {urls[0]: 200, urls[1]: 404, urls[2]: None}
