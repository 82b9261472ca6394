"""What restarts a worker, and what does not."""

import time

import httpx
import pytest
from tests.e2e.kube import Kube, is_ready
from tests.e2e.release import install_drill, port_forward, workers
from tests.e2e.wait import wait_for

OUTAGE_SECONDS = 125


@pytest.fixture(scope="module")
def release(kube: Kube, cluster: str) -> Kube:
    install_drill(kube, cluster)
    return kube


def scale_redis(kube: Kube, replicas: int) -> None:
    kube.apps.patch_namespaced_stateful_set_scale("celeriac-redis", kube.namespace, {"spec": {"replicas": replicas}})


@pytest.mark.timeout(400)
def test_two_minutes_without_redis_restart_nothing(release: Kube) -> None:
    """Workers are busy when Redis goes, and take runs again when it is back."""
    with port_forward(release, "celeriac-api", 8000) as url:
        for number in range(8):
            run = {"name": "drill.burn", "args": [20], "queue": "default", "id": f"busy-{number}"}
            httpx.post(f"{url}/v1/tasks", json=run, timeout=20).raise_for_status()
    before = {component: release.restarts(component) for component in ("api", "worker", "scheduler")}
    scale_redis(release, 0)
    wait_for("the end of Redis", lambda: not release.pods("redis"), 60)
    gone = time.monotonic()
    with port_forward(release, "celeriac-api", 8000) as url:

        def refused() -> bool:
            answer = httpx.post(f"{url}/v1/tasks", json={"name": "drill.short", "args": [1]}, timeout=20)
            return answer.status_code == 503 and "retry-after" in answer.headers

        wait_for("a 503 with Retry-After", refused, 20)
        wait_for("the length of the outage", lambda: time.monotonic() - gone > OUTAGE_SECONDS, OUTAGE_SECONDS + 5)
        scale_redis(release, 3)
        wait_for("Redis", lambda: release.ready("redis", 3), 120)
        wait_for("ready workers", lambda: all(is_ready(pod) for pod in release.pods("worker")), 120)
        for number in range(8):
            answer = httpx.get(f"{url}/v1/tasks/busy-{number}?wait=60", timeout=70).json()
            assert answer["state"] == "succeeded"
    assert {component: release.restarts(component) for component in before} == before


@pytest.mark.timeout(300)
def test_a_worker_whose_main_process_hangs_is_restarted(release: Kube) -> None:
    pod = workers(release, "default")[0].metadata.name
    before = release.restarts("worker")[pod]
    release.run(pod, "sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)", container="worker")
    began = time.monotonic()
    wait_for("a restart", lambda: release.restarts("worker")[pod] > before, 200)
    print({"a hung worker is restarted after, seconds": round(time.monotonic() - began)})
    wait_for("a ready worker", lambda: release.ready("worker", 4), 120)
