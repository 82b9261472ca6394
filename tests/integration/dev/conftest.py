"""``make dev`` as a person runs it, on ports and in a folder of its own."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from celeriac.testing import until

ROOT = Path(__file__).parents[3]
START_SECONDS = 90.0


class Dev:
    """One run; its output goes to a file."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.folder = folder
        self._path = folder.with_suffix(".out")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CELERIAC_", "MAKE"))}
        with self._path.open("wb") as file:
            self.process = subprocess.Popen(
                ["make", "--no-print-directory", "dev", *words],
                cwd=ROOT,
                env={**clean, "DEV_FOLDER": str(folder), "API_PORT": "0", "FLOWER_PORT": "0", **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._path.read_text(errors="replace")

    def wait(self) -> int:
        return self.process.wait(START_SECONDS)

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.output or self.process.poll() is not None, START_SECONDS)
        assert text in self.output, self.output

    def url(self, pattern: str) -> str:
        found = re.search(pattern, self.output)
        assert found, self.output
        return found[1]

    @property
    def api(self) -> str:
        return self.url(r"(http://127\.0\.0\.1:\d+)/docs")

    def ports(self) -> set[int]:
        return {int(port) for port in re.findall(r"(?:http|redis)://127\.0\.0\.1:(\d+)", self.output)}

    def processes(self) -> dict[int, str]:
        """Every process that this run started, by the folder in its environment."""
        mark = f"DEV_FOLDER={self.folder}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def pid_of(self, words: str) -> int:
        """The process with *words* in its command that started first."""
        return min(pid for pid, command in self.processes().items() if words in command)

    def kill(self) -> None:
        """Kill all but the guardian, which ends the server: that one has no environment to be found by."""
        for pid, command in self.processes().items():
            if "celeriac_cli.dev.guardian" not in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        until(lambda: not self.processes())


StartDev = Callable[..., Dev]


@pytest.fixture
def start_dev(tmp_path: Path) -> Iterator[StartDev]:
    """Starts it; what a failed test leaves is killed."""
    started: list[Dev] = []

    def start(*words: str, **environment: str) -> Dev:
        started.append(Dev(tmp_path / f"dev{len(started)}", *words, **environment))
        return started[-1]

    yield start
    for dev in started:
        dev.kill()


@pytest.fixture
def nap_package(tmp_path: Path) -> Path:
    """A folder with a task package that the environment can name."""
    (tmp_path / "naps.py").write_text(
        "import time\n"
        "from celery import shared_task\n\n\n"
        "@shared_task\n"
        "def nap(seconds: float) -> str:\n"
        "    time.sleep(seconds)\n"
        '    return "rested"\n'
    )
    return tmp_path
