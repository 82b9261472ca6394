"""A whole release of the chart, sized for a small cluster."""

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.e2e.helm import install
from tests.e2e.kube import INSIDE, Kube, Script
from tests.e2e.wait import wait_for

SMALL = {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "1Gi"}}
DRILL_TASKS = "drill-tasks"
"""ConfigMap with the tasks of the drills."""


def values(tag: str, **more: Any) -> dict[str, Any]:
    """Return values for every component, with the cookbook's workers."""
    return {
        "image": {"tag": tag},
        "api": {"replicas": 2, "resources": SMALL, "shutdown": {"delaySeconds": 3, "drainSeconds": 10}},
        "scheduler": {"resources": SMALL},
        "flower": {"resources": SMALL},
        "redis": {"resources": SMALL, "persistence": {"size": "1Gi"}},
        "workerDefaults": {"resources": SMALL, "shutdown": {"drainSeconds": 15, "marginSeconds": 10}},
        "workers": {"default": {"queues": ["default", "io"], "replicas": 1}},
        **more,
    }


def drill_workers(**more: Any) -> dict[str, Any]:
    """Return the two groups that run the drills' tasks; *more* goes into each."""
    group = {
        "image": {"repository": "celeriac-worker"},
        "taskPackages": ["drill"],
        "extraVolumes": [{"name": "tasks", "configMap": {"name": DRILL_TASKS}}],
        "extraVolumeMounts": [{"name": "tasks", "mountPath": "/tasks"}],
        "replicas": 2,
        **more,
    }
    return {
        "default": {**group, "queues": ["default"], "concurrency": 4},
        "io": {**group, "queues": ["io"], "pool": "asyncio", "concurrency": 50},
    }


def install_drill(kube: Kube, tag: str, *arguments: str, **more: Any) -> None:
    """Install a release whose workers run the drills' tasks."""
    body = {"metadata": {"name": DRILL_TASKS}, "data": {"drill.py": (INSIDE / "drill.py").read_text()}}
    if not any(
        found.metadata.name == DRILL_TASKS for found in kube.core.list_namespaced_config_map(kube.namespace).items
    ):
        kube.core.create_namespaced_config_map(kube.namespace, body)
    chosen = {"workers": drill_workers(), "flower": {"enabled": False}, **more}
    install("celeriac", kube.namespace, values(tag, **chosen), *arguments)


def load(kube: Kube, name: str, runs: int, per_second: int) -> Script:
    """Start a client that submits *runs* over HTTP and follows them to their end."""
    return kube.start(
        name, "load.py", str(runs), str(per_second), env=[{"name": "API_HOST", "value": "celeriac-api"}]
    )


@contextmanager
def port_forward(kube: Kube, service: str, port: int) -> Iterator[str]:
    """Reach a service from here, as an operator would; yields its URL."""
    command = ["kubectl", "--namespace", kube.namespace, "port-forward", f"service/{service}", f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()  # Forwarding from 127.0.0.1:40123 -> 8000
            yield f"http://127.0.0.1:{line.split(':')[1].split()[0]}"
        finally:
            process.terminate()


def submit(url: str, name: str, **more: Any) -> str:
    """Submit a run as a client does that comes again after a 503."""
    run = {"id": str(uuid.uuid4()), "name": name, **more}

    def accepted() -> bool:
        answer = httpx.post(f"{url}/v1/tasks", json=run, timeout=20)
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202

    wait_for("an accepted run", accepted, 60)
    return str(run["id"])


def fetch(url: str, user: str | None = None) -> str:
    """Get *url*, with basic authentication as *user* ("name:password"), and return the body."""
    name, _, password = (user or "").partition(":")
    answer = httpx.get(url, auth=(name, password) if user else None, timeout=20, follow_redirects=True)
    return answer.raise_for_status().text


def workers(kube: Kube, group: str) -> list[Any]:
    """Return the pods of a worker group that are not ending."""
    return [
        pod
        for pod in kube.pods("worker")
        if pod.metadata.labels["celeriac.dev/worker-group"] == group and not pod.metadata.deletion_timestamp
    ]


def wait_for_workers(kube: Kube, group: str, count: int, seconds: float) -> None:
    """Wait until *group* has *count* pods."""
    wait_for(f"{count} workers of {group}", lambda: len(workers(kube, group)) == count, seconds)
