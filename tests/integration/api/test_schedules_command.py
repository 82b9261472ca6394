"""``celeriac schedules`` as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import redis
from celery import Celery

from celeriac.schedule.code import declared
from celeriac.schedule.publish import publish

from .conftest import ApiProcess

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def celeriac(shared_api: ApiProcess, tmp_path: Path) -> Run:
    """Runs ``celeriac schedules`` against the shared API."""

    def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "celeriac_cli.main", "schedules", *words, "--api", shared_api.url],
            capture_output=True,
            text=True,
            input=stdin,
            timeout=60,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )

    return run


def test_a_schedule_from_set_to_delete(http: httpx.Client, celeriac: Run) -> None:
    options = ["--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--overlap", "skip"]
    made = celeriac("set", "nightly", "shop.report", "year=2026", *options, "--new")
    assert made.returncode == 0, made.stderr
    assert "30 2 * * * Europe/Berlin; next fire: 20" in made.stderr
    again = celeriac("set", "nightly", "shop.report", "year=2026", *options, "--new")
    assert (again.returncode, "version 1" in again.stderr) == (1, True)
    listed = celeriac("list").stdout.split("\t")
    assert listed[:3] == ["nightly", "shop.report", "30 2 * * * Europe/Berlin"]

    shown = json.loads(celeriac("show", "nightly").stdout)
    changed = celeriac("set", "nightly", "--file", "-", "--version", "1", "--jitter", "3",
                       stdin=json.dumps(shown["definition"]))  # fmt: skip
    assert changed.returncode == 0, changed.stderr
    assert json.loads(celeriac("show", "nightly").stdout)["definition"]["jitter_seconds"] == 3

    assert celeriac("pause", "nightly", "stocktaking", "--version", "1").returncode == 1
    assert celeriac("pause", "nightly", "stocktaking").returncode == 0
    assert "paused: stocktaking" in celeriac("list").stdout
    assert "next fire: 20" in celeriac("resume", "nightly", "--leave-out-missed").stderr

    run = celeriac("run", "nightly").stdout.strip()
    assert http.get(f"/v1/tasks/{run}").json()["state"] == "queued"
    assert celeriac("run", "nightly").returncode == 1
    assert run in celeriac("history", "nightly").stdout
    assert len(celeriac("preview", "nightly", "--count", "4").stdout.splitlines()) == 4
    assert celeriac("delete", "nightly").returncode == 0
    assert celeriac("show", "nightly").returncode == 1


def test_what_is_wrong_is_told_with_a_right_example(http: httpx.Client, celeriac: Run) -> None:
    wrong = celeriac("set", "s", "shop.report", "year=x", "--every", "5")
    assert wrong.returncode == 1
    assert '/kwargs/year: "x" is not of type "integer"; right would be' in wrong.stderr
    wrong = celeriac("set", "s", "shop.report", "year=1", "--cron", "0 25 * * *")
    assert "/when/cron: hour: 25 is not within 0-23; right would be" in wrong.stderr
    assert celeriac("set", "s", "shop.report", "--cron", "@daily", "--every", "5").returncode == 2
    assert celeriac("set", "s", "--file", "missing.json").returncode == 2


PACKAGE = """
from celery import shared_task
from celery.schedules import crontab

@shared_task(name="shop.report")
def report(year=1): ...

beat_schedule = {
    "hourly": {"task": "shop.report", "schedule": 3600.0},
    "nightly": {"task": "shop.report", "schedule": crontab(minute=30, hour=2)},
    "mine": {"task": "shop.report", "schedule": 60.0},
}
"""


def test_diff_of_code_and_store(http: httpx.Client, client: redis.Redis, celeriac: Run, tmp_path: Path) -> None:
    (tmp_path / "shop_tasks.py").write_text(PACKAGE)
    app = Celery("before", set_as_current=False)
    app.conf.beat_schedule = {
        "hourly": {"task": "shop.report", "schedule": 3600.0, "options": {"priority": 0}},
        "weekly": {"task": "shop.report", "schedule": 604_800.0},
    }
    publish(client, "default", declared(app), "UTC")
    when = {"kind": "interval", "every_seconds": 5}
    http.post("/v1/schedules", json={"id": "mine", "task": "shop.report", "kwargs": {"year": 1}, "when": when})
    http.post("/v1/schedules", json={"id": "other", "task": "shop.report", "kwargs": {"year": 1}, "when": when})

    found = celeriac("diff", "shop_tasks")
    assert found.returncode == 1, found.stderr
    assert found.stdout.splitlines() == [
        "~ hourly  priority: 0 -> None",
        "! mine  was made over HTTP: delete that one, or rename this",
        "+ nightly  shop.report  crontab 30 2 * * * UTC",
        "- weekly  shop.report  every 604800 s",
    ]

    http.delete("/v1/schedules/mine")
    script = (
        "import shop_tasks, sys; from celery import Celery; from celeriac.schedule import code, publish; import redis"
    )
    script += "\napp = Celery('x'); app.conf.beat_schedule = shop_tasks.beat_schedule"
    script += "\npublish.publish(redis.Redis(port=int(sys.argv[1])), 'default', code.declared(app), 'UTC')"
    port = str(client.connection_pool.connection_kwargs["port"])
    subprocess.run([sys.executable, "-c", script, port], cwd=tmp_path, check=True, timeout=60)
    same = celeriac("diff", "shop_tasks")
    assert (same.returncode, same.stdout) == (0, ""), same.stdout
    assert "3 schedules" in same.stderr
