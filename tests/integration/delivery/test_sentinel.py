"""Workers under Sentinel outlive their master."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celeriac import keys
from celeriac.errors import UnavailableError
from celeriac.redis import connect
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit
from celeriac.testing import SentinelGroup, Worker, until

from .conftest import APPS, ended, record


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    with SentinelGroup(tmp_path / "sentinel") as group:
        yield group


def worker_of(group: SentinelGroup, folder: Path, pool: str = "prefork") -> Worker:
    return Worker(
        folder,
        "delivery_app",
        path=APPS,
        pool=pool,
        concurrency=2,
        options=("-Q", "default"),
        environment={"CELERIAC_REDIS_URL": group.url, "TEST_PORT": str(group.master().port)},
    )


@pytest.fixture
def worker(tmp_path: Path, group: SentinelGroup) -> Iterator[Worker]:
    with worker_of(group, tmp_path) as worker:
        yield worker


def accepted(client: redis.Redis, runs: list[str]) -> bool:
    """Submit one run, add it to *runs* if a replica has it too, and tell whether that was so."""
    submission = Submission(task="delivery_app.add", queue="default", priority=3, args=[1, 2])
    try:
        runs.append(submit(client, submission, DeliverySettings(durability="replicated")).id)
    except (redis.RedisError, UnavailableError):
        return False
    return True


@pytest.mark.timeout(400)
@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_accepted_runs_outlive_the_master(fault: str, group: SentinelGroup, worker: Worker) -> None:
    runs: list[str] = []
    with connect(RedisSettings(url=group.url)) as client:
        for _ in range(20):
            until(lambda: accepted(client, runs))
        ended(client, runs[-1])
        old = group.master()
        if fault == "killed":
            old.kill()
        else:
            old.hang()
        until(lambda: group.master().port != old.port, 60)
        for _ in range(20):
            until(lambda: accepted(client, runs), 60)
        for run in runs:
            assert ended(client, run, 120).state is State.SUCCEEDED
    assert worker.running
    assert worker.stop() == 0


@pytest.mark.parametrize("pool", ["prefork", "asyncio"])
def test_what_runs_send_waits_for_a_master_that_has_replicas(pool: str, tmp_path: Path) -> None:
    """Each failure has kombu take the next Sentinel; the link of a chain is refused more often than Celery tries."""
    with (
        SentinelGroup(tmp_path / "sentinel", min_replicas=1) as group,
        worker_of(group, tmp_path, pool) as worker,
        connect(RedisSettings(url=group.url)) as client,
    ):
        runs = []
        for name in ("send_chain", "send_late"):
            submission = Submission(task=f"delivery_app.{name}", queue="default", priority=3, args=[4])
            runs.append(submit(client, submission, DeliverySettings()).id)
        until(lambda: record(client, runs[0]).state is State.SUCCEEDED)
        until(lambda: record(client, runs[1]).state is State.RUNNING)
        master = group.master()
        for server in group.servers:
            server.kill()
        refused = "Retrying refused callback publish"
        until(lambda: worker.said(refused) > 2)
        master.start()
        before = worker.said(refused)
        until(lambda: worker.said(refused) > before + 5, 60)
        for server in group.servers:
            if server is not master:
                server.start()
        for run in runs:
            assert ended(client, run).state is State.SUCCEEDED
            sent = json.loads(client.get(keys.RESULT + run) or "")["result"]
            until(lambda sent=sent: client.exists(keys.RUN + sent))  # type: ignore[misc]
            assert ended(client, sent).state is State.SUCCEEDED
