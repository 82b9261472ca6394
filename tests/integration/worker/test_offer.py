"""What a worker group tells Redis of itself before any worker runs."""

import os
import subprocess
import sys
from pathlib import Path

import redis

from celeriac import keys
from celeriac.testing import Server

PACKAGE = """
from celery import shared_task
from celery.schedules import crontab

@shared_task(name="shop.report")
def report(year: int = 2026) -> None: ...

beat_schedule = {"nightly": {"task": "shop.report", "schedule": %s}}
"""


def publish(server: Server, folder: Path, schedule: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop_tasks.py").write_text(PACKAGE % schedule)
    environment = {
        **os.environ,
        "CELERIAC_REDIS_URL": server.url,
        "CELERIAC_TASK_PACKAGES": "shop_tasks",
        "CELERIAC_TASK_ENTRY_POINTS": "false",
        "PYTHONPATH": str(folder),
    }
    return subprocess.run(
        [sys.executable, "-m", "celeriac_worker.main", "publish-catalog"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_schedules_of_a_package_come_with_its_catalogue(
    client: redis.Redis, shared_server: Server, tmp_path: Path
) -> None:
    done = publish(shared_server, tmp_path, "crontab(minute=30, hour=2)")
    assert done.returncode == 0, done.stderr
    assert client.hexists(keys.CATALOG, "shop.report")
    assert client.hget(keys.SCHEDULE + "nightly", "source") == b"code"
    assert client.zscore(keys.SCHEDULES, "nightly") is not None


def test_arguments_that_the_task_does_not_take_are_told(
    client: redis.Redis, shared_server: Server, tmp_path: Path
) -> None:
    done = publish(shared_server, tmp_path, "3600, 'kwargs': {'mouth': 5}")
    assert done.returncode == 2
    assert "The schedule 'nightly' of beat_schedule does not fit shop.report: /kwargs/mouth" in done.stderr


def test_a_bad_entry_keeps_it_from_starting_and_is_told(
    client: redis.Redis, shared_server: Server, tmp_path: Path
) -> None:
    done = publish(shared_server, tmp_path, "'0 2 * * *'")
    assert done.returncode == 2
    assert "The schedule 'nightly' of beat_schedule" in done.stderr
    assert client.keys("*") == []
