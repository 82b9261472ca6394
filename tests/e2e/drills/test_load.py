"""Faults under load: whatever breaks, an accepted run ends, once. Prints the figures of docs/reliability.md."""

import os
from typing import Any

import httpx
import pytest
from tests.e2e.kube import Kube
from tests.e2e.release import drill_workers, install_drill, load, port_forward, submit, wait_for_workers, workers
from tests.e2e.wait import wait_for

RUNS = int(os.environ.get("RUNS", "2000"))
PER_SECOND = 40
STALL = 15
COST = "controller.kubernetes.io/pod-deletion-cost"
ROLLED = 'podAnnotations={"celeriac.dev/rolled": "yes"}'


@pytest.fixture(scope="module")
def release(kube: Kube, cluster: str) -> Kube:
    install_drill(kube, cluster)
    return kube


def finished(release: Kube, name: str, script: Any) -> dict[str, Any]:
    result: dict[str, Any] = script.result(400)
    print({name: result}, [line for line in script.lines() if "missing" in line][:3])
    release.delete_pod(script.name, 0)
    assert result["accepted"] == RUNS
    assert result["lost"] == 0
    assert result["states"] == {"succeeded": RUNS}
    return result


def masters(kube: Kube) -> int:
    roles = [kube.run(pod.metadata.name, "redis-cli", "ROLE", container="redis") for pod in kube.pods("redis")]
    return sum(role.startswith("master") for role in roles)


@pytest.mark.timeout(600)
def test_the_redis_master_is_deleted(release: Kube) -> None:
    script = load(release, "master", RUNS, PER_SECOND)
    script.said("quarter")
    restarts = release.restarts("worker")
    release.delete_pod(release.redis_master())
    result = finished(release, "Redis master deleted", script)
    wait_for("three Redis pods", lambda: release.ready("redis", 3), 120)
    assert result["longest stall of submissions"] <= STALL
    assert result["longest stall of runs"] <= STALL
    assert release.restarts("worker") == restarts
    assert masters(release) == 1


@pytest.mark.timeout(600)
def test_all_redis_pods_are_deleted_at_once(release: Kube) -> None:
    script = load(release, "all-redis", RUNS, PER_SECOND)
    script.said("quarter")
    restarts = release.restarts("worker")
    for pod in release.pods("redis"):
        release.delete_pod(pod.metadata.name)
    finished(release, "all Redis pods deleted", script)
    wait_for("three Redis pods", lambda: release.ready("redis", 3), 120)
    assert release.restarts("worker") == restarts
    assert masters(release) == 1


@pytest.mark.timeout(600)
def test_workers_are_killed_without_grace(release: Kube) -> None:
    script = load(release, "workers", RUNS, PER_SECOND)
    script.said("quarter")
    for group in ("default", "io"):
        release.delete_pod(workers(release, group)[0].metadata.name, 0)
    finished(release, "workers killed without grace", script)


@pytest.mark.timeout(600)
def test_everything_is_rolled_by_an_upgrade(release: Kube, cluster: str) -> None:
    script = load(release, "upgrade", RUNS, PER_SECOND)
    script.said("quarter")
    install_drill(
        release, cluster, "--set-json", f"api.{ROLLED}", "--set-json", f"scheduler.{ROLLED}",
        "--set-json", f"redis.{ROLLED}", workers=drill_workers(podAnnotations={"celeriac.dev/rolled": "yes"}),
    )  # fmt: skip
    result = finished(release, "upgrade of everything", script)
    assert result.get("failed requests", 0) == 0


def test_the_idle_worker_goes_first(release: Kube, cluster: str) -> None:
    """A group that shrinks keeps the worker that has something to do."""
    with port_forward(release, "celeriac-api", 8000) as url:
        run = submit(url, "drill.burn", args=[40], queue="default")

        def busy() -> set[str]:
            marks = {
                pod.metadata.name: (pod.metadata.annotations or {}).get(COST) for pod in workers(release, "default")
            }
            return {name for name, mark in marks.items() if mark and int(mark) > 0}

        wait_for("one worker marked as busy", lambda: len(busy()) == 1, 30)
        kept = busy()
        release.apps.patch_namespaced_deployment_scale(
            "celeriac-worker-default", release.namespace, {"spec": {"replicas": 1}}
        )
        wait_for_workers(release, "default", 1, 30)
        assert {pod.metadata.name for pod in workers(release, "default")} == kept
        answer = httpx.get(f"{url}/v1/tasks/{run}?wait=50", timeout=60).json()
        assert (answer["state"], answer["deliveries"]) == ("succeeded", 1)
