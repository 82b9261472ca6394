"""The probe server: routes, refusals, bounds, and forking beside it."""

import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection

import pytest

from celeriac import health
from celeriac.errors import ConfigurationError
from celeriac.health import Answer, HealthServer, verdict


def broken() -> Answer:
    raise ValueError("no such thing")


@pytest.fixture
def server() -> Iterator[HealthServer]:
    routes = {
        "/healthz": lambda: verdict([]),
        "/readyz": lambda: verdict(["draining"]),
        "/metrics": lambda: Answer(HTTPStatus.OK, b"up 1\n", "text/plain"),
        "/broken": broken,
    }
    server = HealthServer("127.0.0.1", 0, routes).start()
    yield server
    server.stop()


def get(server: HealthServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/healthz", 200, b'"ok"'),
        ("GET", "/healthz?verbose=1", 200, b'"ok"'),
        ("GET", "/readyz", 503, b"draining"),
        ("GET", "/metrics", 200, b"up 1"),
        ("GET", "/nothing", 404, b"not found"),
        ("POST", "/healthz", 405, b"not allowed"),
        ("GET", "/broken", 500, b"no such thing"),
    ],
)
def test_each_route_answers(server: HealthServer, method: str, path: str, status: int, said: bytes) -> None:
    answer = get(server, path, method)
    assert answer[0] == status
    assert said in answer[1]


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 what\r\n\r\n", b"GET\r\n\r\n", b"A" * (health.MAX_HEAD_BYTES + 4096)]
)
def test_what_is_no_request_is_refused(server: HealthServer, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(sent)
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_silent_clients_do_not_keep_others_out(server: HealthServer) -> None:
    silent = [
        socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(health.MAX_CONNECTIONS - 1)
    ]
    try:
        assert get(server, "/healthz")[0] == 200
    finally:
        for client in silent:
            client.close()


def test_a_taken_port_is_named(server: HealthServer) -> None:
    with pytest.raises(ConfigurationError, match=f"127.0.0.1:{server.port}"):
        HealthServer("127.0.0.1", server.port, {}).start()


def test_a_stopped_server_frees_its_port(server: HealthServer) -> None:
    port = server.port
    server.stop()
    HealthServer("127.0.0.1", port, {}).start().stop()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_waits_for_an_answer_being_made() -> None:
    """A child that inherits a lock which a route holds would never get it; the fork has to wait instead."""
    lock = threading.Lock()
    inside = threading.Event()

    def slow() -> Answer:
        with lock:
            inside.set()
            until = time.monotonic() + 0.3
            while time.monotonic() < until:
                sum(range(1000))
        return verdict([])

    server = HealthServer("127.0.0.1", 0, {"/slow": slow}).start()
    try:
        asker = threading.Thread(target=get, args=(server, "/slow"))
        asker.start()
        assert inside.wait(10)
        child = multiprocessing.get_context("fork").Process(target=_take, args=(lock,))
        child.start()
        child.join(20)
        assert child.exitcode == 0
        asker.join(20)
    finally:
        server.stop()


def _take(lock: threading.Lock) -> None:
    raise SystemExit(0 if lock.acquire(timeout=5) else 3)
