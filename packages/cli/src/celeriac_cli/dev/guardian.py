"""Ends the process groups of a ``celeriac dev`` that died without doing so itself.

Runs as a process of its own, reads ``start <group>``, ``keep <group>`` (the server that the others need: ended last)
and ``gone <group>`` from its standard input, and takes the end of that input for the death of its parent, whatever
killed it.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import Final

GRACE_SECONDS: Final = 30.0
"""Time that services have to drain; the server has as much after them."""
POLL_SECONDS: Final = 0.1


def main() -> None:
    """Read until the end of the input, then end what is left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # its parent decides, by closing the input
    services: set[int] = set()
    servers: set[int] = set()
    for line in sys.stdin:
        word, number = line.split()
        group = int(number)
        if word == "gone":
            services.discard(group)
            servers.discard(group)
        else:
            (servers if word == "keep" else services).add(group)
    end(services)
    end(servers)


def end(groups: Iterable[int]) -> None:
    """Ask the process *groups* to end, and kill those that have not in time."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Send a signal to a process group; tell whether it was there."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
