"""Runs over workers that are killed at random: none is lost, and none runs again but what was in flight.

``uv run python bench/drills/kills.py [--pool prefork] [--runs 10000] [--kills 20]``. On the asyncio pool every
other run is a coroutine.
"""

import argparse
import random
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import redis

from celeriac import keys
from celeriac.settings.task import DeliverySettings
from celeriac.states import FINAL
from celeriac.submit import Submission, submit
from celeriac.testing import Server, ServiceProcess, Worker, until

APPS = Path(__file__).parent.parent / "apps"
LEASE = 3.0
WORKERS = 3
TASKS = {"asyncio": ("drill_app.work", "drill_app.work_async")}
"""What is run, where it is not the first of these alone."""


def main() -> None:
    """Run the drill of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pool", default="prefork")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        Server(Path(name) / "server", options={"appendonly": "no"}) as server,
        Server(Path(name) / "notes", options={"appendonly": "no"}) as notes,
    ):
        scheduler = ServiceProcess(
            "celeriac_scheduler.main",
            server.url,
            Path(name) / "scheduler",
            "scheduler is up",
            delivery_lease_seconds=str(LEASE),
        )
        try:
            scheduler.wait_ready(120)
            drill(server, notes, Path(name), arguments)
        finally:
            scheduler.kill()


def drill(server: Server, notes: Server, folder: Path, arguments: argparse.Namespace) -> None:
    """Submit, kill, and count."""
    count = iter(range(10_000))

    def start() -> Worker:
        number = next(count)
        return Worker(
            folder,
            "drill_app",
            path=APPS,
            pool=arguments.pool,
            concurrency=4,
            name=f"w{number}",
            options=("-Q", "default", "-l", "WARNING"),
            environment={
                "CELERIAC_REDIS_URL": server.url,
                "CELERIAC_DELIVERY_LEASE_SECONDS": str(LEASE),
                "CELERIAC_DELIVERY_MAX_DELIVERIES": "100",
                "DRILL_NOTES": notes.url,
            },
        ).start()

    with server.client() as client, notes.client() as written:
        workers = [start() for _ in range(WORKERS)]
        try:
            tasks = TASKS.get(arguments.pool, ("drill_app.work",))
            ids = [submit_one(client, tasks[number % len(tasks)]) for number in range(arguments.runs)]
            in_flight, waits = 0, []
            for number in range(arguments.kills):
                until(partial(enough, client, ids, len(ids) * (number + 1) // (arguments.kills + 2)), 600)
                victim = workers.pop(random.randrange(len(workers)))
                owned = f"-{victim.pid}-"
                victim.kill()
                at = time.perf_counter()
                lost = [tag for tag in unacked(client) if owned in tag.decode()]
                in_flight += len(lost)
                workers.append(start())
                until(partial(gone, client, lost), 120)
                waits.append(time.perf_counter() - at if lost else 0.0)
            done_at_last_kill = ended(client, ids)
            until(lambda: ended(client, ids) == len(ids), 1200)
            report(client, written, ids, arguments, in_flight, waits, done_at_last_kill)
        finally:
            for worker in workers:
                worker.kill()


def enough(client: redis.Redis, ids: list[str], count: int) -> bool:
    """Whether *count* of *ids* have ended."""
    return ended(client, ids) >= count


def gone(client: redis.Redis, tags: list[bytes]) -> bool:
    """Whether none of *tags* is held any more."""
    return not tags or not any(client.hmget(keys.UNACKED + "default", tags))


def unacked(client: redis.Redis) -> list[bytes]:
    """Return the tags of all that is held."""
    tags: list[bytes] = client.hkeys(keys.UNACKED + "default")  # type: ignore[assignment]
    return tags


def submit_one(client: redis.Redis, task: str) -> str:
    """Submit a run of some milliseconds."""
    submission = Submission(task=task, queue="default", priority=3, args=[random.choice((0, 0, 0.05, 0.2))])
    return submit(client, submission, DeliverySettings()).id


def ended(client: redis.Redis, ids: list[str]) -> int:
    """Return how many of *ids* are in a final state."""
    with client.pipeline(transaction=False) as pipeline:
        for run in ids:
            pipeline.hget(keys.RUN + run, "state")
        return sum(state is not None and state.decode() in FINAL for state in pipeline.execute())


def report(
    client: redis.Redis,
    written: redis.Redis,
    ids: list[str],
    arguments: argparse.Namespace,
    in_flight: int,
    waits: list[float],
    done_at_last_kill: int,
) -> None:
    """Print what happened."""
    noted: dict[bytes, bytes] = written.hgetall("starts")  # type: ignore[assignment]
    starts = {run.decode(): int(times) for run, times in noted.items()}
    again = sum(starts.get(run, 0) - 1 for run in ids if starts.get(run, 0) > 1)
    print(f"pool {arguments.pool}: {len(ids)} runs, {arguments.kills} kills ({done_at_last_kill} done at the last)")
    print(
        f"lost {sum(run not in starts for run in ids)}, ended {ended(client, ids)}, started again {again}, "
        f"held by the killed {in_flight}"
    )
    print(f"taken back after s: median {statistics.median(waits):.1f}, worst {max(waits):.1f} (lease {LEASE:g})")
    print(f"left: held {client.hlen(keys.UNACKED + 'default')}, dead {client.zcard(keys.DEAD)}")


if __name__ == "__main__":
    main()
