"""Redis is lost in every way while workers are half busy: no worker ends, no accepted run is lost, work resumes.

``uv run python bench/drills/outages.py [--pool prefork]``. Prints, for each fault, how long it lasted, how long after
its end a new run started, and what became of all runs.
"""

import argparse
import contextlib
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
from celeriac.testing import SentinelGroup, Server, Worker, until

APPS = Path(__file__).parent.parent / "apps"
SECONDS = 10.0


class Scene(NamedTuple):
    """A Redis to lose, and how to reach it."""

    url: str
    durability: str
    breaks: Callable[[], object]
    heals: Callable[[], object]


@contextlib.contextmanager
def single(folder: Path, fault: str) -> Iterator[Scene]:
    """One server, that dies, refuses writes, or is full."""
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
        elif fault == "cut":
            yield Scene(server.url, "local", partial(client.client_kill_filter, _type="normal"), lambda: None)
        else:
            yield Scene(server.url, "local", server.kill, server.start)


@contextlib.contextmanager
def sentinel(folder: Path, fault: str) -> Iterator[Scene]:
    """Three servers under three Sentinels, whose master dies or hangs. The fault ends when another is master."""
    with SentinelGroup(folder / "group") as group:
        old = group.master()

        def heal() -> None:
            until(lambda: group.master().port != old.port, 60)

        yield Scene(group.url, "replicated", old.kill if fault == "master killed" else old.hang, heal)
        old.resume()


FAULTS = {
    "killed and restarted": single,
    "cut": single,
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
        worker_of(folder, scene, notes, pool) as worker,
    ):
        delivery = DeliverySettings.model_validate({"durability": scene.durability})
        runs = [send(client, delivery) for _ in range(4)]  # half of the slots
        until(lambda: written.hlen("starts") >= 4, 60)
        scene.breaks()
        broken = time.perf_counter()
        if fault != "cut" and scene.durability == "local":
            time.sleep(SECONDS)
        scene.heals()
        healed = time.perf_counter()
        until(lambda: accepted(client, delivery, runs), 60)
        until(lambda: written.hexists("starts", runs[-1]), 120)
        resumed = time.perf_counter() - healed
        for _ in range(5):
            until(lambda: accepted(client, delivery, runs), 60)
        until(partial(all_ended, client, runs), 300)
        noted = written.hgetall("starts")
        starts = [int(times) for times in noted.values()]
        lost = sum(run.encode() not in noted for run in runs)
        return (
            f"{fault:<22}lasted {healed - broken:>5.1f} s   a new run started after {resumed:>4.1f} s   "
            f"accepted {len(runs)}, lost {lost}, started again {sum(starts) - len(starts)}, "
            f"worker {'lives' if worker.running else 'ENDED'}"
        )


def worker_of(folder: Path, scene: Scene, notes: Server, pool: str) -> Worker:
    """Return a worker with eight slots."""
    return Worker(
        folder,
        "drill_app",
        path=APPS,
        pool=pool,
        concurrency=8,
        options=("-Q", "default"),
        environment={"CELERIAC_REDIS_URL": scene.url, "DRILL_NOTES": notes.url},
    )


def send(client: redis.Redis, delivery: DeliverySettings) -> str:
    """Submit a run of two seconds."""
    return submit(client, Submission(task="drill_app.work", queue="default", priority=3, args=[2.0]), delivery).id


def accepted(client: redis.Redis, delivery: DeliverySettings, runs: list[str]) -> bool:
    """Submit one more run, and tell whether it was accepted."""
    try:
        runs.append(send(client, delivery))
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
