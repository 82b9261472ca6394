"""Workers under Sentinel outlive their master."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celeriac.errors import UnavailableError
from celeriac.redis import connect
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.states import State
from celeriac.submit import Submission, submit
from celeriac.testing import SentinelGroup, Worker, until

from .conftest import APPS, ended


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    with SentinelGroup(tmp_path / "sentinel") as group:
        yield group


@pytest.fixture
def worker(tmp_path: Path, group: SentinelGroup) -> Iterator[Worker]:
    with Worker(
        tmp_path,
        "delivery_app",
        path=APPS,
        pool="prefork",
        concurrency=2,
        options=("-Q", "default"),
        environment={"CELERIAC_REDIS_URL": group.url, "TEST_PORT": str(group.master().port)},
    ) as worker:
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
