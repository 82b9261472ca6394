"""Starts the services, watches them, and stops them in order."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from celeriac_cli.dev.fault import DevError
from celeriac_cli.dev.lines import Lines
from celeriac_cli.dev.service import Process, Service, Stage

READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
CONFIGURATION_EXIT: Final = 2
"""What our services exit with when something is set wrong; their last line says what."""


class Supervisor:
    """Owns the processes. Leaving it as a context stops all, whatever happened inside."""

    def __init__(self, lines: Lines, report: Callable[[str], None], lock: int) -> None:
        self._lines = lines
        self._report = report
        self._lock = lock
        self._processes: list[Process] = []
        self._guardian: subprocess.Popen[str] | None = None
        self._hurry = asyncio.Event()
        self._stopping = False
        self._up: set[str] = set()
        self._deaths: asyncio.Queue[Process] = asyncio.Queue()
        self._watchers: list[asyncio.Task[None]] = []
        self.codes: dict[str, int] = {}
        """Exit codes by name, once stopped."""

    async def __aenter__(self) -> Self:
        self._guardian = _start_guardian(self._lock)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            await asyncio.to_thread(self._guardian.wait)

    async def start(self, service: Service) -> None:
        """Start *service*. It is up when :meth:`wait_ready` says so."""
        process = await Process.start(service, self._lines)
        self._processes.append(process)
        self._tell("keep" if service.stage is Stage.SERVER else "start", process)
        self._watchers.append(asyncio.create_task(self._watch(process)))

    async def wait_ready(self, services: Sequence[Service]) -> None:
        """Wait until all *services* are ready.

        Raises:
            DevError: one of them ended, or took too long.
        """
        deadline = time.monotonic() + READY_SECONDS
        for service in services:
            while not await asyncio.to_thread(service.ready):
                if time.monotonic() > deadline:
                    self._lines.tail(service.name, 20)
                    raise DevError(f"{service.name} is not ready after {READY_SECONDS:g} s: see its last lines above")
                await asyncio.sleep(POLL_SECONDS)
            self._up.add(service.name)

    async def death(self) -> DevError:
        """Wait until a process ends that nobody stopped, and say which and why."""
        process = await self._deaths.get()
        name, code = process.service.name, process.exit_code
        last = self._lines.last(name)
        if code == CONFIGURATION_EXIT:
            return DevError(f"{name} does not start: {last}")
        self._lines.tail(name, 20)
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return DevError(f"{name} {how}; its last words: {last or 'none'}")

    def hurry(self) -> None:
        """Stop waiting for those that take their time, and kill them."""
        self._hurry.set()

    async def _watch(self, process: Process) -> None:
        await process.wait()
        if not self._stopping:
            self._deaths.put_nowait(process)

    async def _stop(self) -> None:
        """Stop the newest stage first; within one, all at the same time."""
        self._stopping = True
        for watcher in self._watchers:
            watcher.cancel()
        stages = sorted({process.service.stage for process in self._processes}, reverse=True)
        for stage in stages:
            await asyncio.gather(
                *(self._stop_one(process) for process in self._processes if process.service.stage == stage)
            )

    async def _stop_one(self, process: Process) -> None:
        stop, hurry = asyncio.create_task(process.stop()), asyncio.create_task(self._hurry.wait())
        await asyncio.wait({stop, hurry}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            process.kill()
        hurry.cancel()
        code = await stop
        name = process.service.name
        if code == -signal.SIGTERM and name not in self._up:
            code = 0  # it had not come so far as to handle the signal, nor to do anything
        self.codes[name] = code
        self._tell("gone", process)
        self._report(f"{name} stopped, exit code {code}")

    def _tell(self, word: str, process: Process) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.write(f"{word} {process.group}\n")
            self._guardian.stdin.flush()


def _start_guardian(lock: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "celeriac_cli.dev.guardian"],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=[lock],  # while it still cleans up, nobody else may start here
    )
