"""Groups that grow and shrink with the true backlog."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.e2e.kube import Kube
from tests.e2e.release import drill_workers, install_drill, port_forward, submit, wait_for_workers, workers
from tests.e2e.wait import wait_for

SCALING = {"pollingSeconds": 2, "cooldownSeconds": 10, "maxReplicas": 4}
FAST = {"scaleUp": {"stabilizationWindowSeconds": 0}, "scaleDown": {"stabilizationWindowSeconds": 5}}


@pytest.fixture(scope="module")
def api(kube: Kube, cluster: str) -> Iterator[str]:
    groups = drill_workers()
    groups["default"] |= {
        "concurrency": 2,
        "autoscaling": {"mode": "keda", "minReplicas": 0, "behavior": FAST, **SCALING},
    }
    groups["io"] |= {
        "pool": "prefork",
        "concurrency": 2,
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "1Gi"}},
        "autoscaling": {"mode": "hpa", "minReplicas": 1, "maxReplicas": 2, "behavior": FAST},
    }
    install_drill(kube, cluster, workers=groups)
    with port_forward(kube, "celeriac-api", 8000) as url:
        yield url


def state(url: str, run: str) -> str:
    return str(httpx.get(f"{url}/v1/tasks/{run}", timeout=20).json()["state"])


def until_done(url: str, runs: list[str], seconds: float = 120) -> None:
    wait_for("the end of all runs", lambda: all(state(url, run) == "succeeded" for run in runs), seconds)


def test_keda_takes_a_group_from_zero_to_many_and_back(kube: Kube, api: str) -> None:
    wait_for_workers(kube, "default", 0, 90)
    began = time.monotonic()
    # 24 runs of 5 s at every priority, two at a time and worker: more than one worker's share, whoever looks where.
    runs = [submit(api, "drill.nap", args=[n], queue="default", priority=n % 10) for n in range(24)]
    wait_for("the first worker", lambda: workers(kube, "default"), 60)
    first = time.monotonic() - began
    wait_for_workers(kube, "default", 4, 60)
    most = time.monotonic() - began
    until_done(api, runs)
    done = time.monotonic() - began
    wait_for_workers(kube, "default", 0, 120)
    print(
        {
            "0 to 1, seconds": round(first, 1),
            "to 4": round(most, 1),
            "backlog done": round(done, 1),
            "back to 0": round(time.monotonic() - began, 1),
        }
    )


@pytest.mark.parametrize(
    "kind",
    [
        {"name": "drill.short", "args": [1], "priority": 9},
        {"name": "drill.short", "args": [1], "countdown": 5},
        {"name": "drill.again", "args": [1]},
    ],
    ids=["lowest-priority", "delayed", "retrying"],
)
def test_nothing_is_stranded_at_zero(kube: Kube, api: str, kind: dict[str, Any]) -> None:
    wait_for_workers(kube, "default", 0, 120)
    until_done(api, [submit(api, queue="default", **kind)])


def test_scaling_goes_on_after_a_failover(kube: Kube, api: str) -> None:
    wait_for_workers(kube, "default", 0, 120)
    old = kube.redis_master()
    kube.delete_pod(old)
    wait_for("another master", lambda: kube.redis_master() not in ("", old), 60)
    began = time.monotonic()
    until_done(api, [submit(api, "drill.short", args=[1], queue="default")])
    print({"a run at zero after a failover, seconds": round(time.monotonic() - began, 1)})


def test_an_hpa_goes_between_its_bounds(kube: Kube, api: str) -> None:
    wait_for_workers(kube, "io", 1, 120)
    began = time.monotonic()
    runs = [submit(api, "drill.burn", args=[30], queue="io") for _ in range(2)]
    wait_for_workers(kube, "io", 2, 120)
    grown = time.monotonic() - began
    until_done(api, runs, 180)
    wait_for_workers(kube, "io", 1, 180)
    print({"hpa 1 to 2, seconds": round(grown, 1), "back to 1": round(time.monotonic() - began, 1)})
