"""What one submission costs its caller: Celeriac's script against stock ``apply_async``, with and without a backend.

``uv run python bench/submit.py [--rounds 3] [--count 3000]``. One sender, one after another, same server, kinds in
turn. Processor time is that of the sender; other load on the machine hardly changes it.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from celery import Celery

from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Server


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=3000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Server(Path(name), options={"appendonly": "no"}) as server:
        kinds = senders(server)
        found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
        for _ in range(arguments.rounds):
            for kind, send in kinds.items():
                with server.client() as client:
                    client.flushall()
                send()
                found[kind].append(measure(send, arguments.count))
        ours = [statistics.median(figures) for figures in zip(*found["celeriac, with record"], strict=True)]
        print(f"{'':<30}{'us each':>9}{'processor us':>14}{'celeriac: time':>16}{'processor':>11}")
        for kind, rounds in found.items():
            wall, cpu = (statistics.median(figures) for figures in zip(*rounds, strict=True))
            print(f"{kind:<30}{wall:>9.0f}{cpu:>14.0f}{wall / ours[0]:>15.2f}x{cpu / ours[1]:>10.2f}x")


def senders(server: Server) -> dict[str, Callable[[], object]]:
    """Return a function that submits one run, for each kind."""
    plain = Celery("plain", broker=server.url)
    backed = Celery("backed", broker=server.url, backend=server.url)
    for app in (plain, backed):
        app.conf.task_default_queue = "default"
        app.task(name="bench.noop")(_noop)
    client = server.client()
    delivery = DeliverySettings()
    return {
        "stock, no result backend": lambda: plain.tasks["bench.noop"].apply_async((1, 2)),
        "stock, Redis result backend": lambda: backed.tasks["bench.noop"].apply_async((1, 2)),
        "celeriac, with record": lambda: submit(
            client, Submission(task="bench.noop", queue="default", priority=0, args=[1, 2]), delivery
        ),
    }


def _noop(first: int, second: int) -> None:
    """Is only submitted here."""


def measure(send: Callable[[], object], count: int) -> tuple[float, float]:
    """Return the microseconds one call of *send* takes: on the clock, and of the processor."""
    at, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        send()
    return (time.perf_counter() - at) / count * 1e6, (time.process_time() - cpu) / count * 1e6


if __name__ == "__main__":
    main()
