"""Flower beside our workers: behind a password, its pages as a browser shows them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from celeriac.testing import Platform, Server, until
from celeriac.testing.server import free_port
from cookbook.patterns.basic import add
from cookbook.patterns.steps import process_item

LOGIN = ("me", "of-flower-7")


def browser() -> str:
    """Return the browser's program, by the names that distributions give it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Flower's pages are looked at in a browser: install chromium"
    return found


class Flower:
    """Flower on *port*, looked at by a browser."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://{{}}127.0.0.1:{port}"
        self._folder = folder

    def get(self, path: str, login: tuple[str, str] | None = LOGIN) -> httpx.Response:
        return httpx.get(self.url.format("") + path, auth=login, timeout=30)

    def page(self, path: str) -> str:
        """Return the text of a page once its scripts have run."""
        done = subprocess.run(
            [
                *(browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                *(f"--user-data-dir={self._folder}", "--virtual-time-budget=8000", "--dump-dom"),
                self.url.format(":".join(LOGIN) + "@") + path,
            ],
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        return re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", done.stdout, flags=re.DOTALL))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    with (
        Server(folder / "valkey", options={"requirepass": "of-the-data"}) as server,
        Platform(folder, server.url, redis_password="of-the-data", task_packages="cookbook.patterns") as platform,
    ):
        yield platform


@pytest.fixture(scope="module")
def flower(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWER_PORT", str(port))
        patch.setenv("FLOWER_ADDRESS", "127.0.0.1")
        patch.setenv("FLOWER_BASIC_AUTH", ":".join(LOGIN))
        patch.setenv("FLOWER_INSPECT_TIMEOUT", "5000")
        platform.flower()
        flower = Flower(port, tmp_path_factory.mktemp("browser"))
        until(lambda: answers(flower), 60)
        yield flower


def answers(flower: Flower) -> bool:
    try:
        return flower.get("/healthcheck").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def runs(platform: Platform, flower: Flower) -> tuple[str, str]:
    """One run that succeeded and one that failed, both seen by Flower; three wait in a queue nobody serves."""
    platform.worker()
    until(lambda: "default@" in flower.get("/api/workers?refresh=1").text, 90)
    good, bad = platform.send(add.s(20, 22)), platform.send(process_item.s({"fail": 1}))
    for _ in range(3):
        platform.send(add.s(1, 1), queue="io")
    for run, state in ((good, "SUCCESS"), (bad, "FAILURE")):
        platform.ended(run)
        until(lambda run=run, state=state: state in flower.get(f"/api/task/info/{run}").text)  # type: ignore[misc]
    return good, bad


@pytest.mark.parametrize("path", ["/", "/tasks", "/workers", "/broker", "/api/workers", "/api/tasks"])
def test_nothing_is_shown_without_the_password(flower: Flower, path: str) -> None:
    assert flower.get(path, login=None).status_code == 401
    assert flower.get(path, login=("me", "guess")).status_code == 401


def test_it_refuses_to_start_without_a_login(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOWER_")}
    done = subprocess.run(
        [sys.executable, "-m", "celeriac_flower.main"],
        env={**environment, "CELERIAC_ENVIRONMENT": "production"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "celeriac-flower: Flower has no login: set FLOWER_BASIC_AUTH=<user>:<password>, or FLOWER_AUTH"
    )


def test_the_workers_page(flower: Flower, runs: tuple[str, str]) -> None:
    page = flower.page("/workers")
    assert re.search(r"default@\S+ Online", page), page
    assert re.search(r"default@\S+ Online \d+ 2 1 1 ", page), "active, processed, failed, succeeded: " + page


def test_the_tasks_page(flower: Flower, runs: tuple[str, str]) -> None:
    page = flower.page("/tasks")
    good, bad = runs
    assert re.search(rf"cookbook\.patterns\.basic\.add {good} \S+ SUCCESS", page), page
    assert re.search(rf"cookbook\.patterns\.steps\.process_item {bad} \S+ FAILURE", page), page


def test_a_tasks_own_page(flower: Flower, runs: tuple[str, str]) -> None:
    page = flower.page(f"/task/{runs[1]}")
    assert "StepError" in page
    assert "FAILURE" in page


def test_the_broker_page_counts_what_waits(flower: Flower, runs: tuple[str, str]) -> None:
    page = flower.page("/broker")
    assert re.search(r"\bdefault 0\b", page), page
    lengths = {row["name"]: row["messages"] for row in flower.get("/api/queues/length").json()["active_queues"]}
    assert lengths["default"] == 0
