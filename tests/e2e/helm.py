"""Helm, by the command of that name."""

import json
import subprocess
from pathlib import Path
from typing import Any

CHART = Path(__file__).parents[2] / "charts" / "celeriac"
INSTALL_TIMEOUT = "5m"


def helm(*arguments: str, values: dict[str, Any] | None = None) -> str:
    """Run helm and return what it printed; *values* go in as a values file. Fails with helm's own words."""
    command = ["helm", *arguments]
    stdin = None
    if values is not None:
        command += ["--values", "-"]
        stdin = json.dumps(values)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def install(release: str, namespace: str, values: dict[str, Any], *more: str) -> str:
    """Install or upgrade *release* from the chart and wait until all of it is ready."""
    return helm(
        "upgrade", "--install", release, str(CHART), "--namespace", namespace, "--wait",
        "--timeout", INSTALL_TIMEOUT, *more, values=values,
    )  # fmt: skip
