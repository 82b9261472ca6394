import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from celeriac.testing.server import free_port

Serve = Callable[[FastAPI], httpx.Client]
NO_KEEPALIVE = httpx.Limits(max_keepalive_connections=0)


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """A real server in a thread, and a client of it."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        transport = httpx.HTTPTransport(retries=8, limits=NO_KEEPALIVE)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, transport=transport) as http:
            yield http
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a FastAPI app until the test ends."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))
