"""A service of this product as a process of its own, as it runs in production."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from celeriac.testing.waiting import until


class ServiceProcess:
    """``python -m <module>`` with settings of its own, its log in *folder*.

    Args:
        module: what is run, such as ``celeriac_api.main``.
        url: of Redis.
        folder: working directory, made if it is not there.
        ready: the log event that says it is up.
        settings: as in the environment, without the prefix and in lower case: ``api_port="0"``.
    """

    def __init__(self, module: str, url: str, folder: Path, ready: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "log"
        self._ready = ready
        environment = {
            "CELERIAC_REDIS_URL": url,
            "CELERIAC_LOG_FORMAT": "json",
            **{f"CELERIAC_{name.upper()}": value for name, value in settings.items()},
        }
        with self._path.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 our own program
                [sys.executable, "-m", module],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
            )

    def wait_ready(self, deadline: float = 30) -> Self:
        """Wait for the log event that says it is up.

        Raises:
            RuntimeError: it ended first; with its log.
        """
        until(lambda: self.event(self._ready) or self.process.poll() is not None, deadline)
        if self.event(self._ready) is None:
            raise RuntimeError(f"the process ended with {self.process.returncode}: {self.log}")
        return self

    @property
    def log(self) -> str:
        """All it has written."""
        return self._path.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return its log lines with the event *name*."""
        lines = (json.loads(line) for line in self.log.splitlines() if line.startswith("{") and line.endswith("}"))
        return [line for line in lines if line["event"] == name]

    def event(self, name: str) -> dict[str, Any] | None:
        """Return the first of :meth:`events`."""
        return next(iter(self.events(name)), None)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, deadline: float = 30) -> int:
        """Ask it to stop, and return its exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(deadline)

    def kill(self) -> None:
        """End it without asking, with its children: one that was forked just now has not tied its life to it yet."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
