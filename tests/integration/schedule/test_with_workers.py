"""Schedules, the scheduler and a worker together: runs start, tell where they come from, and wait for each other."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import redis
import redis.asyncio

from celeriac import keys
from celeriac.schedule.fault import read
from celeriac.schedule.store import Schedules
from celeriac.states import State
from celeriac.testing import Platform, Server, until

PACKAGE = """
import time
from celery import shared_task

@shared_task(bind=True, name="scheduled.nap")
def nap(self, seconds):
    time.sleep(seconds)
    return [self.request.schedule, self.request.fire]

beat_schedule = {"from-code": {"task": "scheduled.nap", "schedule": 1.0, "args": (0,)}}
"""


@pytest.fixture
def platform(
    shared_server: Server, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    (tmp_path / "scheduled.py").write_text(PACKAGE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    with Platform(tmp_path, shared_server.url, task_packages="scheduled", worker_pool="threads") as platform:
        platform.worker()
        platform.scheduler()
        yield platform


async def test_runs_of_a_schedule_wait_for_each_other(
    platform: Platform, client: redis.Redis, shared_server: Server
) -> None:
    async with redis.asyncio.Redis(port=shared_server.port) as connection:
        schedules = Schedules(connection, "UTC", 3600)
        when = {"kind": "interval", "every_seconds": 0.5}
        nap = read({"task": "scheduled.nap", "args": [0.8], "when": when, "overlap": "queue_one"})
        await schedules.create("naps", nap, ([0.8], {}))
        until(lambda: int(client.hget(keys.SCHEDULE + "naps", "fires") or 0) >= 4, deadline=60)
        await schedules.pause("naps", "enough")
        history = await schedules.history("naps")
        from_code = await schedules.history("from-code")
    runs = [platform.ended(event.run) for event in reversed(history) if event.run]
    assert {run.state for run in runs} == {State.SUCCEEDED}
    for before, after in pairwise(runs):
        assert before.finished is not None
        assert after.started is not None
        assert before.finished <= after.started
    assert "held" in {event.outcome for event in history}
    assert platform.app.AsyncResult(runs[0].id).id == runs[0].id
    assert [run.schedule for run in runs] == ["naps"] * len(runs)
    told = client.get(keys.RESULT + runs[0].id)
    assert told is not None
    assert b'"naps"' in told
    assert any(event.outcome == "run" for event in from_code), "the worker has brought the schedules of its code"
