"""A small HTTP server for probes and metrics, for processes whose business is something else.

It runs in threads beside a main loop that may be blocked, and beside a pool that forks at any moment
(:mod:`celeriac.forking`): routes are called undisturbed, and outside of them the server takes no lock, so it neither
logs nor asks a clock for a date.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Final, NamedTuple, Self

from celeriac.errors import ConfigurationError
from celeriac.forking import undisturbed

DEADLINE_SECONDS: Final = 5.0
"""Time in which a request must have come in, and its answer have gone out."""
MAX_CONNECTIONS: Final = 32
MAX_HEAD_BYTES: Final = 8192


class Answer(NamedTuple):
    """What a route says."""

    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"


Route = Callable[[], Answer]


def verdict(problems: Sequence[str]) -> Answer:
    """Return the answer of a probe: 200 without *problems*, 503 with them."""
    if problems:
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, json.dumps({"status": "unfit", "problems": problems}).encode())
    return Answer(HTTPStatus.OK, b'{"status": "ok"}')


_servers: "set[HealthServer]" = set()


def _forget_servers() -> None:
    for server in _servers:
        server.forget()
    _servers.clear()


os.register_at_fork(after_in_child=_forget_servers)


class HealthServer:
    """Answers ``GET`` of fixed paths. *port* 0 takes a free one, which ``port`` then tells.

    Routes are called in a thread, one at a time, and must be quick: a fork waits for them.
    """

    def __init__(self, host: str, port: int, routes: Mapping[str, Route]) -> None:
        self._address = (host, port)
        self._routes = dict(routes)
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)

    @property
    def port(self) -> int:
        """The port listened on."""
        if self._listener is None:
            raise RuntimeError("the server is not running")
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> Self:
        """Listen, and answer from a thread.

        Raises:
            ConfigurationError: the address cannot be had.
        """
        host, port = self._address
        try:
            self._listener = socket.create_server((host, port), backlog=MAX_CONNECTIONS)
        except OSError as error:
            raise ConfigurationError(
                f"The health server cannot listen on {host}:{port} ({error.strerror}): "
                "free that port, or set another one (0 takes any)"
            ) from error
        _servers.add(self)
        threading.Thread(target=self._serve, args=(self._listener,), name="health", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening; answers on their way still go out."""
        _servers.discard(self)
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):  # not every system lets a listener be shut down; closing it does there
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()

    def forget(self) -> None:
        """Give up all sockets in a forked child: they are its parent's."""
        for inherited in (*self._connections, *([self._listener] if self._listener else [])):
            inherited.close()
        self._listener = None

    def _serve(self, listener: socket.socket) -> None:
        while True:
            self._slots.acquire()
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._connections.add(connection)
            threading.Thread(target=self._converse, args=(connection,), name="health-answer", daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            end = time.monotonic() + DEADLINE_SECONDS
            answer = self._answer(_read_head(connection, end))
            connection.settimeout(DEADLINE_SECONDS)
            connection.sendall(_encode(answer))
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client has gone or was too slow; there is nobody to tell
        finally:
            self._connections.discard(connection)
            connection.close()
            self._slots.release()

    def _answer(self, head: bytes) -> Answer:
        words = head.split(b"\r\n", 1)[0].split()
        if len(words) != 3 or not words[2].startswith(b"HTTP/"):
            return _fault(HTTPStatus.BAD_REQUEST)
        if words[0] != b"GET":
            return _fault(HTTPStatus.METHOD_NOT_ALLOWED)
        route = self._routes.get(words[1].split(b"?", 1)[0].decode("ascii", "replace"))
        if route is None:
            return _fault(HTTPStatus.NOT_FOUND)
        with undisturbed:
            try:
                return route()
            except Exception as error:  # a probe's own fault must reach whoever asks, and end no thread
                return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, json.dumps({"status": repr(error)}).encode())


def _read_head(connection: socket.socket, end: float) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MAX_HEAD_BYTES:
        connection.settimeout(max(end - time.monotonic(), 0.001))
        received = connection.recv(4096)
        if not received:
            raise ConnectionResetError
        head += received
    return head


def _fault(status: HTTPStatus) -> Answer:
    return Answer(status, json.dumps({"status": status.phrase.lower()}).encode())


def _encode(answer: Answer) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + answer.body
