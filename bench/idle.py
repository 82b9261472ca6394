"""What a worker costs that has nothing to do: its memory and its commands at Redis, against stock Celery in one run.

``uv run python -m bench.idle [--seconds 30]``. Each is installed alone, as an image holds it: with development tools
beside it, structlog loads what it finds of them.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from celeriac.testing import Server, until

ROOT = Path(__file__).parents[1]
UV = os.environ.get("UV", "uv")
SETTLE_SECONDS = 10
"""After a worker is ready: what it says of itself at the start is not what it costs."""
CELERY = "celery[redis]==5.7.0"


class Kind(NamedTuple):
    """What is installed, how its worker is started, and what it says when it consumes."""

    name: str
    installs: tuple[str, ...]
    command: tuple[str, ...]
    environment: dict[str, str]


def kinds(url: str, pool: str) -> tuple[Kind, Kind]:
    """Return stock Celery and Celeriac, as their documentation starts them."""
    stock = ("-m", "celery", "-A", "bench_stock", "worker", "-P", pool, "-c", "2", "-Q", "default", "-l", "INFO")
    return (
        Kind(
            f"stock, {pool}",
            (CELERY,),
            stock,
            {"CELERIAC_REDIS_URL": url, "BENCH_RESULTS": "1", "BENCH_MULTIPLIER": "4"},
        ),
        Kind(
            f"celeriac, {pool}",
            (str(ROOT / "packages/celeriac"), str(ROOT / "services/worker")),
            ("-m", "celeriac_worker.main", "--group", "default", "--pool", pool, "--concurrency", "2", "--port", "0"),
            {"CELERIAC_REDIS_URL": url, "CELERIAC_TASK_PACKAGES": "bench_idle"},
        ),
    )


def install(folder: Path, kind: Kind) -> Path:
    """Install *kind* into an environment of its own and return its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([UV, "pip", "install", "--quiet", "--python", str(python), *kind.installs], check=True)
    return python


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def memory(pid: int) -> tuple[float, float]:
    """Return the resident MiB of a process, and those of it and its children with shared pages counted once."""
    pss = sum(_kib(f"/proc/{each}/smaps_rollup", "Pss") for each in family(pid))
    return _kib(f"/proc/{pid}/status", "VmRSS") / 1024, pss / 1024


def _kib(file: str, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+)", Path(file).read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def measure(folder: Path, server: Server, kind: Kind, seconds: float) -> tuple[float, float, float]:
    """Return commands per second of an idle worker, and its memory."""
    python = install(folder / kind.name.partition(",")[0], kind)
    log = folder / f"{kind.name}.log"
    environment = {**os.environ, **kind.environment, "PYTHONPATH": str(ROOT / "bench" / "apps")}
    with server.client() as client, log.open("wb") as output:
        client.flushall()
        worker = subprocess.Popen([python, *kind.command], env=environment, stdout=output, stderr=output)
        try:
            until(lambda: bool(re.search(r" ready\b", log.read_text())), 120)
            time.sleep(SETTLE_SECONDS)
            before = int(client.info("stats")["total_commands_processed"])
            time.sleep(seconds)
            commands = int(client.info("stats")["total_commands_processed"]) - before - 1
            return commands / seconds, *memory(worker.pid)
        finally:
            worker.terminate()
            worker.wait(30)


def main() -> None:
    """Print a line for each kind and pool."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name, Server(Path(name) / "server") as server:
        print(f"{'':<20}{'commands/s':>12}{'RSS MiB':>10}{'with children, PSS MiB':>25}")
        for pool in ("solo", "prefork"):
            for kind in kinds(server.url, pool):
                commands, resident, shared = measure(Path(name), server, kind, seconds)
                print(f"{kind.name:<20}{commands:>12.2f}{resident:>10.1f}{shared:>25.1f}", flush=True)


if __name__ == "__main__":
    main()
