"""Tasks per second of the asyncio pool and of its peers, on one server, two worker processes each.

Run with ``uv run --group bench python -m bench.asyncio_pool``. Every round fills a queue, starts two workers, and
takes the rate at which both drain it, between the first hundred tasks and the last; rounds of all systems take turns,
and the median counts. All keep results, run as their documentation sets them up, may have the same number of tasks in
flight, and write no log line per task. Celeriac writes its records as well.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.peers import marks

from celeriac.testing import Server, until

ROOT = Path(__file__).parents[1]
CONCURRENCY = 500
PROCESSES = 2
MEASURE_SECONDS = 15
"""A round ends after these, if the queue is not empty before."""
START_SECONDS = 30
"""A worker that has ended no hundred tasks by then, while the other has, is left out of the round."""
UV = os.environ.get("UV", "uv")
ARQ_NEEDS = ["--with", "arq==0.28.0", "--with", "uvloop"]
ARQ = [UV, "run", "--quiet", "--no-project", *ARQ_NEEDS, "python"]
"""arq wants an older redis-py than Celeriac, so it runs in an environment of its own."""


class Peer(NamedTuple):
    """A system under test: the environment it needs, how to fill its queue, and how to start its *n*-th worker."""

    environment: dict[str, str]
    fill: Sequence[str]
    work: Sequence[str]


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


PEERS = {
    "celeriac": Peer(
        {
            "CELERIAC_TASK_PACKAGES": "bench.peers.celeriac_peer",
            "CELERIAC_TASK_ENTRY_POINTS": "false",
            "CELERIAC_WORKER_GROUP": "default",
            "CELERIAC_WORKER_POOL": "asyncio",
            "CELERIAC_WORKER_CONCURRENCY": str(CONCURRENCY),
            "CELERIAC_LOG_LEVEL": "warning",
        },
        _python("bench.peers.celeriac_peer"),
        _python("celeriac_worker.main", "--name", "bench-{n}"),
    ),
    "celery + gevent": Peer(
        {},
        _python("bench.peers.gevent_peer"),
        _python(
            *("celery", "-A", "bench.peers.gevent_peer", "worker", "-P", "gevent", "-l", "WARNING"),
            *("-c", str(CONCURRENCY), "-n", "bench-{n}@%h"),
        ),
    ),
    "taskiq, streams": Peer(
        {"BENCH_BROKER": "stream"},
        _python("bench.peers.taskiq_peer"),
        _python(
            *("taskiq", "worker", "bench.peers.taskiq_peer:broker", "--workers", "1", "--log-level", "WARNING"),
            *("--max-async-tasks", str(CONCURRENCY)),
        ),
    ),
    "taskiq, list": Peer(
        {"BENCH_BROKER": "list"},
        _python("bench.peers.taskiq_peer"),
        _python(
            *("taskiq", "worker", "bench.peers.taskiq_peer:broker", "--workers", "1", "--log-level", "WARNING"),
            *("--max-async-tasks", str(CONCURRENCY)),
        ),
    ),
    "arq": Peer({}, [*ARQ, "-m", "bench.peers.arq_peer"], [*ARQ, "-m", "bench.peers.arq_peer", "work"]),
}


@contextlib.contextmanager
def workers(peer: Peer, environment: dict[str, str], folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the peer's workers; they are stopped at the end."""
    started = []
    for number in range(PROCESSES):
        command = [part.format(n=number) for part in peer.work]
        with (folder / f"{number}.log").open("wb") as log:
            started.append(subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log))
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Result(NamedTuple):
    """One round."""

    rate: float
    """Tasks per second of both workers together."""
    cpu: float
    """Microseconds of the workers' processor time per task."""
    server: float
    """Microseconds of Redis' processor time per task."""


def measure(name: str, kind: str, count: int) -> Result:
    """Run one round."""
    peer = PEERS[name]
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "valkey", options={"appendonly": "no"}) as server,
    ):
        lines = Path(folder) / "marks"
        lines.mkdir()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "BENCH_REDIS": server.url,
            "BENCH_MARKS": str(lines),
            "BENCH_CONCURRENCY": str(CONCURRENCY),
            "CELERIAC_REDIS_URL": server.url,
            **peer.environment,
        }
        fill = [*peer.fill, kind, str(count)]
        subprocess.run(fill, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        with workers(peer, environment, Path(folder)) as processes:

            def failed() -> bool:
                return any(process.poll() is not None for process in processes)

            launched = time.monotonic()
            until(
                lambda: (
                    len(marks.counts(lines)) == PROCESSES
                    or (marks.counts(lines) and time.monotonic() - launched > START_SECONDS)  # one starves
                    or failed()
                ),
                deadline=120,
            )
            pids = [int(file.name) for file in lines.iterdir()]
            before, spent, started = marks.counts(lines), _cpu(pids), time.monotonic()
            served = _cpu([server.pid])
            until(
                lambda: (
                    sum(marks.counts(lines).values()) >= count * 0.97
                    or time.monotonic() - started > MEASURE_SECONDS
                    or failed()
                ),
                deadline=180,
            )
            if failed():
                raise RuntimeError((Path(folder) / "0.log").read_text()[-2000:])
            ended = sum(marks.counts(lines).values()) - sum(before.values())
            cpu = (_cpu(pids) - spent) / max(ended, 1)
            served = (_cpu([server.pid]) - served) / max(ended, 1)
        return Result(marks.rate(lines), cpu * 1e6, served * 1e6)


def _cpu(pids: Sequence[int]) -> float:
    """Return the processor time of these processes, in seconds."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--only", nargs="*", default=list(PEERS))
    parser.add_argument("--kinds", nargs="*", default=["noop", "io"])
    options = parser.parse_args()
    results: dict[tuple[str, str], list[Result]] = {}
    for turn in range(options.rounds):
        for kind in options.kinds:
            for name in options.only:
                result = measure(name, kind, options.count)
                results.setdefault((name, kind), []).append(result)
                line = f"round {turn + 1}: {name:<16} {kind:<5} {result.rate:7.0f} /s"
                print(f"{line}, CPU a task: {result.cpu:5.0f} us, Redis {result.server:4.0f} us", flush=True)
    _report(results, options.only, options.kinds)


def _report(results: dict[tuple[str, str], list[Result]], names: Sequence[str], kinds: Sequence[str]) -> None:
    def median(name: str, kind: str) -> Result:
        return Result(*map(statistics.median, zip(*results[name, kind], strict=True)))

    print(f"\n{'medians':<18}" + "".join(f"{kind + ' /s':>10}{'us':>6}{'Redis':>6}" for kind in kinds))
    for name in names:
        cells = (median(name, kind) for kind in kinds)
        print(f"{name:<18}" + "".join(f"{cell.rate:>10.0f}{cell.cpu:>6.0f}{cell.server:>6.0f}" for cell in cells))
    for kind in kinds:
        others = {name: median(name, kind) for name in names if name != "celeriac"}
        if not others or "celeriac" not in names:
            continue
        ours = median("celeriac", kind)
        best = max(others, key=lambda name: others[name].rate)
        lean = min(others, key=lambda name: others[name].cpu)
        print(f"{kind}: {ours.rate / others[best].rate:.2f} x the rate of {best}; ", end="")
        print(f"{lean} needs {others[lean].cpu / ours.cpu:.2f} x the processor time per task")


if __name__ == "__main__":
    main()
