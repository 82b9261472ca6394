"""The chart as ``helm template`` renders it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "charts" / "celeriac"
SHAPES = sorted(path.name for path in (CHART / "ci").glob("*-values.yaml"))
"""The values files, one for each supported shape of the chart."""

Object = dict[str, Any]
_WORKLOADS = {"Deployment", "StatefulSet", "Job"}


class RenderError(Exception):
    """Helm refused; the message is helm's own."""


def render(values: dict[str, Any] | None = None, shape: str | None = None, release: str = "celeriac") -> list[Object]:
    """Return what the chart makes of *values*, on top of a *shape*.

    Raises:
        RenderError: the values contradict each other or the schema.
    """
    command = ["helm", "template", release, str(CHART), "--namespace", "tasks"]
    if shape:
        command += ["--values", str(CHART / "ci" / shape)]
    command += ["--values", "-"]
    done = subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RenderError(done.stderr)
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """Return the objects of *kind* by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Yield the name of each workload with its pod template."""
    for found in objects:
        if found["kind"] in _WORKLOADS:
            yield found["metadata"]["name"], found["spec"]["template"]
        elif found["kind"] == "Pod":
            yield found["metadata"]["name"], found


def own_containers(template: Object) -> Iterator[Object]:
    """Yield the containers that the chart makes, without those that values add."""
    spec = template["spec"]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        if container["name"] not in ("before", "beside"):
            yield container


def environment(container: Object) -> dict[str, Any]:
    """Return a container's environment by name."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.get("env", [])}
