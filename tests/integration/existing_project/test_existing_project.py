"""A package of plain Celery tasks, installed as it is and named in settings, runs unchanged behind the HTTP API."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from uv import find_uv_bin

from celeriac.testing import Server, ServiceProcess, until

PROJECT = Path(__file__).parent / "project"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built and installed into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(folder), str(PROJECT)]
    subprocess.run(command, check=True, timeout=120)
    assert (folder / "acme_orders" / "tasks.py").exists()
    return folder


@pytest.fixture(scope="module")
def api(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The API, and two worker groups that know of the project by its name alone."""
    folder = tmp_path_factory.mktemp("platform")
    named = {"task_packages": "acme_orders", "task_entry_points": "false"}
    with Server(folder / "valkey") as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(installed))
        workers = [
            ServiceProcess(
                "celeriac_worker.main", server.url, folder / group, "", worker_group=group, worker_pool=pool, **named
            )
            for group, pool in (("default", "prefork"), ("io", "threads"))
        ]
        patch.delenv("PYTHONPATH")  # the API has no task code
        service = ServiceProcess("celeriac_api.main", server.url, folder / "api", "listening", api_port="0")
        try:
            listening = service.wait_ready().event("listening")
            assert listening is not None
            with httpx.Client(base_url=listening["url"], timeout=60) as client:
                until(lambda: client.get("/v1/catalog/acme.greeting").status_code == 200, 60)
                yield client
        finally:
            for process in (*workers, service):
                process.kill()


def run(api: httpx.Client, name: str, **arguments: Any) -> dict[str, Any]:
    """Submit *name*, and return its run when it has ended."""
    answer = api.post("/v1/tasks", json={"name": name, **arguments})
    assert answer.status_code == 202, answer.text
    ended: dict[str, Any] = api.get(answer.headers["Location"], params={"wait": 45}).json()
    return ended


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("acme_orders.tasks.total", {"args": [[1.5, 2.25]]}, 3.75),
        ("acme_orders.tasks.total", {"kwargs": {"prices": [10, 20], "discount": 0.5}}, 15.0),
        ("acme.greeting", {"args": ["Ada"], "kwargs": {"formal": True}}, "Dear Ada"),
        ("acme_orders.tasks.weekday", {"args": ["2026-11-23"]}, "Monday"),
        ("acme_orders.tasks.reserve", {"args": ["mug", 2]}, 1),
        ("acme_orders.tasks.flaky", {"args": [2]}, 2),
        ("acme_orders.tasks.notify", {"kwargs": {"address": "ada@example.org"}}, "sent to ada@example.org"),
        ("acme_orders.tasks.total_text", {"args": [3]}, "EUR 3.00"),
        ("acme_orders.tasks.double", {"args": [{"article": "mug"}]}, {"article": "mug", "count": 2}),
        ("acme_orders.tasks.touch", {}, None),
    ],
)
def test_each_task_gives_its_result(api: httpx.Client, name: str, arguments: dict[str, Any], result: Any) -> None:
    ended = run(api, name, **arguments)
    assert (ended["state"], ended["result"]) == ("succeeded", result)


def test_a_bound_task_knows_its_run(api: httpx.Client) -> None:
    ended = run(api, "acme_orders.tasks.whoami")
    assert ended["result"] == {"id": ended["id"], "task": "acme_orders.tasks.whoami", "queue": "default"}


def test_its_own_error_comes_back(api: httpx.Client) -> None:
    ended = run(api, "acme_orders.tasks.reserve", args=["lamp"])
    assert ended["state"] == "failed"
    assert ended["error"]["type"] == "OutOfStockError"
    assert ended["error"]["message"] == "0 of lamp left, 1 wanted"
    assert "acme_orders/tasks.py" in ended["error"]["traceback"]


def test_retries_that_are_used_up_are_a_failure(api: httpx.Client) -> None:
    ended = run(api, "acme_orders.tasks.doomed")
    assert (ended["state"], ended["retries"], ended["error"]["type"]) == ("failed", 1, "OSError")


def test_tasks_it_starts_itself_run_too(api: httpx.Client) -> None:
    last = run(api, "acme_orders.tasks.checkout", args=[[1, 2]])["result"]
    until(lambda: api.get(f"/v1/tasks/{last}").status_code == 200)
    assert api.get(f"/v1/tasks/{last}", params={"wait": 45}).json()["result"] == "EUR 3.00"


def test_its_signatures_are_held_to(api: httpx.Client) -> None:
    answer = api.post("/v1/tasks", json={"name": "acme_orders.tasks.total", "args": ["much"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "/args/0"
    order = {"article": "mug", "count": "many"}
    answer = api.post("/v1/tasks", json={"name": "acme_orders.tasks.double", "kwargs": {"order": order}})
    assert answer.json()["errors"][0]["path"] == "/kwargs/order/count"


def test_it_does_not_mention_celeriac() -> None:
    sources = [path for path in PROJECT.rglob("*") if path.suffix in (".py", ".toml")]
    assert len(sources) == 4
    assert not [path for path in sources if "celeriac" in path.read_text().lower()]
