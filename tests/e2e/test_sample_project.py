"""A team's own image, made by two lines, becomes a worker group by values alone, and its code changes in place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.e2e.helm import install
from tests.e2e.kube import Kube
from tests.e2e.release import port_forward, values, workers
from tests.e2e.wait import wait_for

ROOT = Path(__file__).parents[2]
GROUP = yaml.safe_load((ROOT / "k8s/sample-project/values.yaml").read_text())["workers"]["reports"]
SYNC = yaml.safe_load((ROOT / "skaffold.yaml").read_text())["build"]["artifacts"][-1]["sync"]
WRITABLE = {"securityContext": {"readOnlyRootFilesystem": False}}


@pytest.fixture(scope="module")
def api(kube: Kube, cluster: str) -> Iterator[str]:
    small = values(cluster, flower={"enabled": False}, api={"replicas": 1})
    install("celeriac", kube.namespace, small)
    small["workers"]["reports"] = {**GROUP, **WRITABLE, "concurrency": 1}
    install("celeriac", kube.namespace, small)
    with port_forward(kube, "celeriac-api", 8000) as url:
        yield url


def count(api: str) -> Any:
    body = {"name": "reports.word_count", "args": ["to be or not to be"], "queue": "reports"}
    run = httpx.post(f"{api}/v1/tasks", json=body, timeout=20).raise_for_status().json()
    answer = httpx.get(f"{api}/v1/tasks/{run['id']}?wait=30", timeout=40).json()
    assert answer["state"] == "succeeded", answer
    return answer["result"]


def test_the_image_has_two_lines() -> None:
    assert len((ROOT / "k8s/sample-project/Dockerfile").read_text().splitlines()) == 2


def test_its_task_is_in_the_catalogue_and_runs(api: str) -> None:
    assert "reports.word_count" in httpx.get(f"{api}/v1/catalog", timeout=20).text
    assert count(api) == {"to": 2, "be": 2, "or": 1, "not": 1}


def test_changed_code_is_laid_into_the_running_worker(kube: Kube, api: str) -> None:
    """What skaffold does when a task's file changes: copy it, then run the hook of skaffold.yaml."""
    [pod] = workers(kube, "reports")
    before = kube.restarts("worker")
    kube.run(
        pod.metadata.name, "sh", "-c", "sed -i 's/text.lower()/text.upper()/' /tasks/reports/__init__.py",
        container="worker",
    )  # fmt: skip
    kube.run(pod.metadata.name, *SYNC["hooks"]["after"][0]["container"]["command"], container="worker")
    wait_for("the changed code", lambda: count(api) == {"TO": 2, "BE": 2, "OR": 1, "NOT": 1}, 60)
    assert kube.restarts("worker") == before
