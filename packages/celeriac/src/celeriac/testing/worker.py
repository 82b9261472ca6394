"""A Celery worker in a process of its own, to be killed and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from celeriac.testing.waiting import until

_POOLS = {"asyncio": "celeriac.pool:TaskPool"}
"""Pools that Celery's command knows by their class alone."""


class Worker:
    """``celery worker`` of the application *app* (``module:name``), logging to a file in *folder*.

    *environment* is what it gets beside this process' own; *path* is where *app* is imported from.
    """

    def __init__(
        self,
        folder: Path,
        app: str,
        *,
        path: Path,
        pool: str = "solo",
        concurrency: int = 1,
        name: str = "worker",
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = f"{name}@test"
        self.log = folder / f"{name}.log"
        self._command = [
            *(sys.executable, "-m", "celery", "-A", app, "worker", "-n", self.name, "-l", "INFO"),
            *(
                "-P",
                "custom" if pool in _POOLS else pool,
                "-c",
                str(concurrency),
                "--without-gossip",
                "--without-mingle",
                *options,
            ),
        ]
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(path),
            "PYTHONUNBUFFERED": "1",
            **({"CELERY_CUSTOM_WORKER_POOL": _POOLS[pool]} if pool in _POOLS else {}),
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start without waiting for it to be ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        return self

    @property
    def pid(self) -> int:
        """Process id of the main process."""
        if self._process is None:
            raise RuntimeError("the worker is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the main process is alive."""
        return self._process is not None and self._process.poll() is None

    def said(self, text: str) -> int:
        """Return how often *text* stands in the log."""
        return self.log.read_text(errors="replace").count(text) if self.log.exists() else 0

    def wait_ready(self, deadline: float = 60) -> Self:
        """Wait until it consumes.

        Raises:
            RuntimeError: it ended before; with the tail of its log.
        """
        until(lambda: self.said(" ready.") > 0 or not self.running, deadline)
        if not self.running:
            raise RuntimeError(f"the worker ended: {self.log.read_text(errors='replace')[-2000:]}")
        return self

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the main process alone."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it and its children at once, as the loss of a machine would."""
        if self._process is not None and self.running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)

    def stop(self, deadline: float = 60) -> int:
        """Ask it to stop, and return its exit code."""
        if self._process is None:
            return 0
        if self.running:
            self.signal(signal.SIGTERM)
        try:
            return self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self.start().wait_ready()

    def __exit__(self, *_: object) -> None:
        self.kill()
