"""A worker that cannot do its work says why on one line and does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = "from celery import shared_task\n\n\n@shared_task\ndef add(x: int, y: int) -> int:\n    return x + y\n"


def refusal(folder: Path, *arguments: str, **settings: str) -> str:
    """Run a worker that must not start, and return its one line."""
    environment = {f"CELERIAC_{name.upper()}": value for name, value in settings.items()}
    ran = subprocess.run(
        [sys.executable, "-m", "celeriac_worker.main", *arguments],
        env={**os.environ, "CELERIAC_TASK_ENTRY_POINTS": "false", **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2, ran.stderr
    (line,) = ran.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_like_it\n", ["'shop'", "CELERIAC_TASK_PACKAGES", "nothing_like_it", "shop.py:1"]),
        ("def broken(:\n", ["'shop'", "SyntaxError", "line 1"]),
        ("raise SystemExit(3)\n", ["'shop'", "SystemExit", "shop.py:1"]),
        ("x = 1\n", ["No task is registered", "CELERIAC_TASK_PACKAGES"]),
        (GOOD.replace("@shared_task", '@shared_task(queue="gpu")'), ["shop.add", "gpu", "CELERIAC_TASK_QUEUES"]),
    ],
)
def test_a_package_that_cannot_be_used(tmp_path: Path, code: str, said: list[str]) -> None:
    (tmp_path / "shop.py").write_text(code)
    line = refusal(tmp_path, task_packages="shop")
    for words in said:
        assert words in line


def test_a_package_that_is_not_there(tmp_path: Path) -> None:
    assert "No module named 'shop'" in refusal(tmp_path, task_packages="shop")


def test_two_tasks_of_one_name(tmp_path: Path) -> None:
    named = GOOD.replace("@shared_task", '@shared_task(name="shop.add")')
    (tmp_path / "shop.py").write_text(named)
    (tmp_path / "other.py").write_text(named)
    line = refusal(tmp_path, task_packages="shop,other")
    for words in ("shop.add", "other"):
        assert words in line


def test_the_tasks_module_of_a_package_is_loaded_too(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "tasks.py").write_text("raise LookupError('read me')\n")
    assert "LookupError: read me" in refusal(tmp_path, task_packages="shop")


def test_a_queue_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(GOOD)
    line = refusal(tmp_path, "--queues", "default,defualt", task_packages="shop")
    assert "CELERIAC_WORKER_QUEUES: defualt" in line
    assert "CELERIAC_TASK_QUEUES (default, io)" in line


def test_a_group_without_a_queue(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(GOOD)
    line = refusal(tmp_path, "--group", "gpu", task_packages="shop")
    assert "'gpu'" in line
    assert "CELERIAC_WORKER_QUEUES" in line


def test_a_setting_that_is_none(tmp_path: Path) -> None:
    assert "CELERIAC_WORKER_CONCURRENCY" in refusal(tmp_path, "--concurrency", "many")
