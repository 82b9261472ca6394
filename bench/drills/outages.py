"""Redis is lost in every way while workers are half busy: no worker ends, no accepted run is lost, work resumes.

``uv run python bench/drills/outages.py [--pool prefork]``. Prints, for each fault, how long it lasted, how long after
its end a new run started, and what became of all runs. Every fault of ten seconds outlasts the lease.
"""

import argparse
import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import redis

from celeriac import keys
from celeriac.errors import UnavailableError
from celeriac.redis import connect
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.states import FINAL
from celeriac.submit import Submission, submit
from celeriac.testing import Link, SentinelGroup, Server, ServiceProcess, Worker, until

APPS = Path(__file__).parent.parent / "apps"
SECONDS = 10.0
LEASE = 6.0
TASKS = {"asyncio": ("drill_app.work", "drill_app.work_async")}
"""What is run, where it is not the first of these alone."""


class Scene(NamedTuple):
    """A Redis to lose, and how to reach it."""

    url: str
    durability: str
    breaks: Callable[[], object]
    heals: Callable[[], object]
    seconds: float = SECONDS
    """How long to wait before healing it."""
    way: str | None = None
    """URL by which the platform reaches it, where that is another one."""


@contextlib.contextmanager
def single(folder: Path, fault: str) -> Iterator[Scene]:
    """One server, that dies, hangs, refuses writes, or is full."""
    with Server(folder / "server", options={"appendfsync": "always"}) as server:
        client = server.client()
        option, value = {"no replicas": ("min-replicas-to-write", 1), "full": ("maxmemory", 1)}.get(fault, ("", 0))
        if option:
            yield Scene(
                server.url,
                "local",
                partial(client.config_set, option, value),
                partial(client.config_set, option, 0),
            )
        elif fault == "connections killed":
            yield Scene(server.url, "local", partial(client.client_kill_filter, _type="normal"), lambda: None, 0)
        elif fault == "hung":
            yield Scene(server.url, "local", server.hang, server.resume)
        else:
            yield Scene(server.url, "local", server.kill, server.start)


@contextlib.contextmanager
def linked(folder: Path, fault: str) -> Iterator[Scene]:
    """A server at the end of a link that swallows what is sent. Who submits has another way."""
    with Server(folder / "server") as server, Link(server.port) as link:
        yield Scene(server.url, "local", link.cut, link.heal, way=link.url)


@contextlib.contextmanager
def sentinel(folder: Path, fault: str) -> Iterator[Scene]:
    """Three servers under three Sentinels, whose master dies or hangs. The fault ends when another is master."""
    with SentinelGroup(folder / "group") as group:
        old = group.master()

        def heal() -> None:
            until(lambda: group.master().port != old.port, 60)

        yield Scene(group.url, "replicated", old.kill if fault == "master killed" else old.hang, heal, 0)
        old.resume()


FAULTS = {
    "killed and restarted": single,
    "hung": single,
    "connections killed": single,
    "link cut": linked,
    "no replicas": single,
    "full": single,
    "master killed": sentinel,
    "master hung": sentinel,
}


def drill(folder: Path, fault: str, pool: str) -> str:
    """Return what one fault did."""
    with (
        FAULTS[fault](folder, fault) as scene,
        Server(folder / "notes", options={"appendonly": "no"}) as notes,
        connect(RedisSettings(url=scene.url)) as client,
        notes.client() as written,
        leader_of(folder, scene),
        worker_of(folder, scene, notes, pool) as worker,
    ):
        delivery = DeliverySettings.model_validate({"durability": scene.durability})
        tasks = itertools.cycle(TASKS.get(pool, ("drill_app.work",)))
        runs = [send(client, delivery, next(tasks)) for _ in range(4)]  # half of the slots
        until(lambda: written.hlen("starts") >= 4, 60)
        scene.breaks()
        broken = time.perf_counter()
        time.sleep(scene.seconds)
        scene.heals()
        healed = time.perf_counter()
        until(lambda: accepted(client, delivery, runs, next(tasks)), 60)
        until(lambda: written.hexists("starts", runs[-1]), 120)
        resumed = time.perf_counter() - healed
        for _ in range(5):
            until(lambda: accepted(client, delivery, runs, next(tasks)), 60)
        until(partial(all_ended, client, runs), 300)
        noted = written.hgetall("starts")
        starts = [int(times) for times in noted.values()]
        lost = sum(run.encode() not in noted for run in runs)
        return (
            f"{fault:<22}lasted {healed - broken:>5.1f} s   a new run started after {resumed:>4.1f} s   "
            f"accepted {len(runs)}, lost {lost}, started again {sum(starts) - len(starts)}, "
            f"worker {'lives' if worker.running else 'ENDED'}"
        )


@contextlib.contextmanager
def leader_of(folder: Path, scene: Scene) -> Iterator[ServiceProcess]:
    """Start a scheduler, which takes back what lost workers held, and end it."""
    leader = ServiceProcess(
        "celeriac_scheduler.main",
        scene.way or scene.url,
        folder / "scheduler",
        "scheduler is up",
        delivery_lease_seconds=str(LEASE),
    )
    try:
        yield leader.wait_ready(120)
    finally:
        leader.kill()


def worker_of(folder: Path, scene: Scene, notes: Server, pool: str) -> Worker:
    """Return a worker with eight slots."""
    return Worker(
        folder,
        "drill_app",
        path=APPS,
        pool=pool,
        concurrency=8,
        options=("-Q", "default"),
        environment={
            "CELERIAC_REDIS_URL": scene.way or scene.url,
            "CELERIAC_DELIVERY_LEASE_SECONDS": str(LEASE),
            "DRILL_NOTES": notes.url,
        },
    )


def send(client: redis.Redis, delivery: DeliverySettings, task: str) -> str:
    """Submit a run of two seconds."""
    return submit(client, Submission(task=task, queue="default", priority=3, args=[2.0]), delivery).id


def accepted(client: redis.Redis, delivery: DeliverySettings, runs: list[str], task: str) -> bool:
    """Submit one more run, and tell whether it was accepted."""
    try:
        runs.append(send(client, delivery, task))
    except (redis.RedisError, UnavailableError):
        return False
    return True


def all_ended(client: redis.Redis, runs: list[str]) -> bool:
    """Whether all of *runs* are final."""
    try:
        states: list[bytes | None] = [client.hget(keys.RUN + run, "state") for run in runs]  # type: ignore[misc]
    except redis.RedisError:
        return False
    names = {str(state) for state in FINAL}
    return all(state is not None and state.decode() in names for state in states)


def main() -> None:
    """Run all drills with the pool of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pool", default="prefork")
    parser.add_argument("--fault", choices=list(FAULTS), action="append")
    arguments = parser.parse_args()
    for fault in arguments.fault or FAULTS:
        with tempfile.TemporaryDirectory() as name:
            print(drill(Path(name), fault, arguments.pool), flush=True)


if __name__ == "__main__":
    main()
