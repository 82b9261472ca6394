"""A flag that makes a file descriptor readable, so that any thread can wake a loop that waits in poll."""

import contextlib
import socket
from threading import Lock


class Signal:
    """Readable while set."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._set = False
        self._lock = Lock()

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._reader.fileno()

    def set(self) -> None:
        """Wake whoever waits. From any thread."""
        if self._set:
            return
        with self._lock, contextlib.suppress(OSError):
            if not self._set:
                self._set = True
                self._writer.send(b"\0")

    def clear(self) -> None:
        """Go back to sleep. What the flag stands for is to be looked at after this."""
        if self._set:
            with self._lock, contextlib.suppress(OSError):
                self._reader.recv(64)
                self._set = False

    def close(self) -> None:
        """Close both ends."""
        self._reader.close()
        self._writer.close()
