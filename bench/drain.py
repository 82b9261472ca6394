"""How fast workers empty a queue of no-op tasks: Celeriac against stock Celery, on the same server, in one run.

``uv run python bench/drain.py [--rounds 3] [--tasks 10000] [--workers 2] [--multiplier 4] [--deep]``

Each round starts the workers, gives them a full queue at once, and measures until it is empty. Kinds take turns, and
the median of the rounds counts, so that a busy machine is busy for all. ``--deep`` compares what a run costs with
10^3 and with 10^6 queued.
"""

import argparse
import os
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import redis

from celeriac import keys
from celeriac.scripts import script
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, call
from celeriac.testing import Server, Worker, until

APPS = Path(__file__).parent / "apps"
QUEUE = "default"


class Kind(NamedTuple):
    """What is measured."""

    name: str
    app: str
    environment: dict[str, str]


KINDS = (
    Kind("stock, results in Redis", "bench_stock", {"BENCH_RESULTS": "1"}),
    Kind("stock, results ignored", "bench_stock", {"BENCH_RESULTS": "0"}),
    Kind("stock, late ack, results", "bench_stock", {"BENCH_RESULTS": "1", "BENCH_ACKS_LATE": "1"}),
    Kind("celeriac, records, results", "bench_celeriac", {}),
)


def fill(client: redis.Redis, kind: Kind, count: int) -> None:
    """Queue *count* runs as each kind's own producers do: with a record for Celeriac, the bare message for stock."""
    delivery = DeliverySettings()
    code = script("submit")
    client.script_load(code.text)
    for start in range(0, count, 500):
        with client.pipeline(transaction=False) as pipeline:
            for _ in range(min(500, count - start)):
                keys_, arguments = call(Submission(task="bench.noop", queue=QUEUE, priority=0), delivery)
                if kind.app == "bench_stock":
                    pipeline.lpush(QUEUE, arguments[7])
                else:
                    pipeline.evalsha(code.sha, len(keys_), *keys_, *arguments)
            pipeline.execute()


def left(client: redis.Redis) -> int:
    """Return how many runs wait or are held."""
    with client.pipeline(transaction=False) as pipeline:
        pipeline.llen(QUEUE)
        pipeline.hlen("unacked")
        pipeline.hlen(keys.UNACKED + "default")
        return sum(pipeline.execute())


def start(server: Server, folder: Path, kind: Kind, number: int, multiplier: int) -> Worker:
    """Start a solo worker."""
    return Worker(
        folder,
        kind.app,
        path=APPS,
        pool="solo",
        name=f"w{number}-{uuid.uuid4().hex[:6]}",
        options=("-Q", QUEUE, "--without-heartbeat", "--prefetch-multiplier", str(multiplier), "-l", "WARNING"),
        environment={
            "CELERIAC_REDIS_URL": server.url,
            "CELERIAC_WORKER_PREFETCH_MULTIPLIER": str(multiplier),
            "BENCH_MULTIPLIER": str(multiplier),
            **kind.environment,
        },
    ).start()


class Drained(NamedTuple):
    """What emptying the queue took."""

    rate: float
    """Runs per second of all workers together."""
    worker_us: float
    """Processor time of the workers, in microseconds a run. Other load on the machine does not change it much."""
    server_us: float
    """The same of the server."""


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drain(server: Server, folder: Path, kind: Kind, tasks: int, workers: int, multiplier: int) -> Drained:
    """Empty a queue of *tasks*."""
    with server.client() as client:
        client.flushall()
        fill(client, kind, tasks)
        client.rename(QUEUE, "bench:staged")
        started = [start(server, folder, kind, number, multiplier) for number in range(workers)]
        try:
            until(lambda: int(client.get("bench:ready") or 0) == workers, 120)
            pids = [worker.pid for worker in started]
            before, server_before = sum(map(cpu_seconds, pids)), cpu_seconds(server.pid)
            client.rename("bench:staged", QUEUE)
            at = time.perf_counter()
            until(lambda: left(client) == 0, 900)
            rate = tasks / (time.perf_counter() - at)
            return Drained(
                rate,
                (sum(map(cpu_seconds, pids)) - before) / tasks * 1e6,
                (cpu_seconds(server.pid) - server_before) / tasks * 1e6,
            )
        finally:
            for worker in started:
                worker.kill()


def compare(server: Server, folder: Path, arguments: argparse.Namespace) -> None:
    """Print each kind's rates and what Celeriac's is to each."""
    found: dict[str, list[Drained]] = {kind.name: [] for kind in KINDS}
    for _ in range(arguments.rounds):
        for kind in KINDS:
            found[kind.name].append(
                drain(server, folder, kind, arguments.tasks, arguments.workers, arguments.multiplier)
            )
    ours = median(found[KINDS[-1].name])
    print(f"{arguments.workers} solo workers, {arguments.tasks} no-op runs, multiplier {arguments.multiplier}")
    print(f"{'':<28}{'runs/s':>8}{'worker us':>11}{'server us':>11}{'celeriac: rate':>16}{'processor':>11}")
    for name, rounds in found.items():
        middle = median(rounds)
        cost = (middle.worker_us + middle.server_us) / (ours.worker_us + ours.server_us)
        print(
            f"{name:<28}{middle.rate:>8.0f}{middle.worker_us:>11.0f}{middle.server_us:>11.0f}"
            f"{ours.rate / middle.rate:>15.2f}x{cost:>10.2f}x   rounds: "
            + ", ".join(f"{each.rate:.0f}" for each in rounds)
        )


def median(rounds: list[Drained]) -> Drained:
    """Return the median of each figure."""
    return Drained(*(statistics.median(figures) for figures in zip(*rounds, strict=True)))


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--multiplier", type=int, default=4)
    parser.add_argument("--deep", action="store_true", help="compare 10^3 and 10^6 queued")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Server(Path(name) / "server", options={"appendonly": "no"}) as server:
        folder = Path(name)
        if arguments.deep:
            deep(server, folder, arguments)
        else:
            compare(server, folder, arguments)


def deep(server: Server, folder: Path, arguments: argparse.Namespace) -> None:
    """Print the time per run where a thousand runs are queued at the most, and where a million are."""
    for queued in (1_000, 1_000_000) * arguments.rounds:
        print(f"{queued:>9} queued: {cost(server, folder, queued, arguments.multiplier):.0f} us per run", flush=True)


def cost(server: Server, folder: Path, queued: int, multiplier: int) -> float:
    """Return the microseconds a run takes one worker, over ten thousand after two thousand that warm it up."""
    with server.client() as client:
        client.flushall()
        portions = max(1, 12_000 // queued)
        for portion in range(portions):
            fill(client, KINDS[-1], queued)
            client.rename(QUEUE, f"bench:staged:{portion}")
        worker = start(server, folder, KINDS[-1], 0, multiplier)
        try:
            until(lambda: int(client.get("bench:ready") or 0) == 1, 120)
            at = 0.0
            for portion in range(portions):
                client.rename(f"bench:staged:{portion}", QUEUE)
                if portion == 2:
                    at = time.perf_counter()
                if portions == 1:
                    until(lambda: left(client) <= queued - 2_000, 600)
                    at = time.perf_counter()
                until(lambda: left(client) <= max(0, queued - 12_000), 600)
            return (time.perf_counter() - at) / 10_000 * 1e6
        finally:
            worker.kill()


if __name__ == "__main__":
    main()
