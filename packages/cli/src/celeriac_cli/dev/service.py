"""One process of the platform, in a process group of its own."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from celeriac_cli.dev.guardian import send
from celeriac_cli.dev.lines import Lines

READ_BYTES = 65_536


class Stage(IntEnum):
    """In which order processes stop: the last stage first, so that each finds what it needs to end in order."""

    SERVER = 0
    FRONT = 1
    """Answers callers for as long as runs are being finished."""
    WORK = 2
    CLOCK = 3


@dataclass(frozen=True, kw_only=True)
class Service:
    """What is to run, and how to tell that it is up."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool]
    """Called in a thread; must return within seconds."""
    url: str
    stage: Stage
    stop_seconds: float = 10.0
    """Time it may take to stop before its group is killed."""


class Process:
    """A running :class:`Service`."""

    def __init__(self, service: Service, process: asyncio.subprocess.Process, lines: Lines) -> None:
        self.service = service
        self.group = process.pid  # a session leader leads its group
        self._process = process
        self._reader = asyncio.create_task(self._read(lines))

    @classmethod
    async def start(cls, service: Service, lines: Lines) -> "Process":
        """Start *service*."""
        lines.join(service.name)
        process = await asyncio.create_subprocess_exec(
            *service.command,
            env={**os.environ, **service.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops all in order
        )
        return cls(service, process, lines)

    async def wait(self) -> int:
        """Return its exit code once it has ended and all it said has been read."""
        code = await self._process.wait()
        await asyncio.wait([self._reader], timeout=1)  # a left-over child of its may hold the pipe open
        return code

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    async def stop(self) -> int:
        """Ask it to end, kill its group if it has not in time, and return its exit code."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), self.service.stop_seconds)
            except TimeoutError:
                send(self.group, signal.SIGCONT)  # a stopped process cannot even be waited for in order
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """Kill what is left of its group, at once."""
        send(self.group, signal.SIGKILL)

    async def _read(self, lines: Lines) -> None:
        stream, rest = self._process.stdout, b""
        while stream is not None and (chunk := await stream.read(READ_BYTES)):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                lines.add(self.service.name, line.decode(errors="replace"))
            if len(rest) > READ_BYTES:
                lines.add(self.service.name, rest.decode(errors="replace"))
                rest = b""
        lines.add(self.service.name, rest.decode(errors="replace"))
