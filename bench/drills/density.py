"""What one asyncio worker process holds: 5,000 tasks that each wait a second, and its memory.

Run with ``uv run python -m bench.drills.density``. Exits 1 when they take more than 8 s.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx

from celeriac import message
from celeriac.submit import new_id
from celeriac.testing import Server, ServiceProcess, until

ROOT = Path(__file__).parents[2]
TASK = "tests.integration.pool.tasks.sleep"
ALLOWED_SECONDS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    count = parser.parse_args().count
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "valkey") as server:
        worker = ServiceProcess(
            "celeriac_worker.main",
            server.url,
            Path(folder) / "worker",
            "serving health and metrics",
            task_packages="tests.integration.pool.tasks",
            task_entry_points="false",
            worker_group="default",
            worker_pool="asyncio",
            worker_concurrency=str(count),
        ).wait_ready(90)
        up = worker.event("serving health and metrics")
        assert up is not None
        try:
            until(lambda: httpx.get(f"{up['url']}/readyz").status_code == 200, 90)
            before = _rss(worker.process.pid)
            started = time.monotonic()
            _send(server, count)
            until(lambda: f'status="success",task_name="{TASK}"}} {count}.0' in _metrics(up["url"]), 120)
            seconds = time.monotonic() - started
            peak = _rss(worker.process.pid, "VmHWM")
        finally:
            worker.end()
    print(f"{count} runs of 1 s on one process: {seconds:.2f} s; RSS {before} MiB idle, {peak} MiB at the peak")
    sys.exit(seconds > ALLOWED_SECONDS)


def _send(server: Server, count: int) -> None:
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for _ in range(count):
            text = message.encode(id=new_id(), task=TASK, args=[1], kwargs={}, queue="default", priority=0)
            pipe.lpush("default", text)
        pipe.execute()


def _metrics(url: str) -> str:
    return httpx.get(f"{url}/metrics", timeout=30).text


def _rss(pid: int, field: str = "VmRSS") -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field))) // 1024


if __name__ == "__main__":
    main()
