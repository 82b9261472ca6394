"""A TCP link that can be cut as a firewall or a lost route cuts it: nothing is refused or closed, nothing arrives."""

import contextlib
import socket
import threading
from typing import Self

_CHUNK = 65_536


class _Circuit:
    """One connection through the link. Once *dead*, what either side sends is dropped, for good, but for what is
    *left* to reach the near side."""

    def __init__(self, near: socket.socket, far: socket.socket | None) -> None:
        self._near = near
        self._far = far
        self.dead = far is None
        self.left = 0
        self._carry(near, far)
        if far is not None:
            self._carry(far, near)

    def _carry(self, source: socket.socket, sink: socket.socket | None) -> None:
        threading.Thread(target=self._pump, args=(source, sink), name="link", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if sink is not None and not self.dead:
                    sink.sendall(data)
                elif sink is self._near and self.left:
                    sink.sendall(data[: self.left])
                    self.left = max(0, self.left - len(data))
        if not self.dead:  # the word that a side has closed is lost in a cut link like any other
            self.close()

    def close(self) -> None:
        for end in (self._near, self._far):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()


class Link:
    """A way to the loopback's TCP port *to*, through :attr:`port`.

    A connection that was there during a cut never works again and is never closed, as when a router forgot it; those
    made after :meth:`heal` work. So whoever uses the link is saved by deadlines alone.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._cut = False
        self._lock = threading.Lock()
        self._circuits: list[_Circuit] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="link", daemon=True).start()

    @property
    def url(self) -> str:
        """URL of database 0 of the Redis behind it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self, *, after: int = 0) -> None:
        """Drop whatever is sent from now on, but for the next *after* bytes to each client."""
        with self._lock:
            self._cut = True
            for circuit in self._circuits:
                circuit.left = after
                circuit.dead = True

    def heal(self) -> None:
        """Let new connections through."""
        with self._lock:
            self._cut = False

    def close(self) -> None:
        """Close everything."""
        self._listener.close()
        with self._lock:
            for circuit in self._circuits:
                circuit.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                try:
                    far = None if self._cut else socket.create_connection(("127.0.0.1", self._to))
                except ConnectionRefusedError:
                    near.close()
                    continue
                self._circuits.append(_Circuit(near, far))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
