"""What ``make install`` leaves on a laptop's cluster, and what skaffold deploys: docs/install.md, step by step."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.e2e.helm import helm
from tests.e2e.kube import Kube
from tests.e2e.release import fetch, port_forward
from tests.e2e.wait import wait_for

ROOT = Path(__file__).parents[2]
FORWARDED = yaml.safe_load((ROOT / "skaffold.yaml").read_text())["portForward"]
PAGES = {"celeriac-api": ("/v1/catalog", "reports.word_count"), "celeriac-flower": ("/workers", "reports@")}


@pytest.fixture(scope="module")
def release(kube: Kube, cluster: str) -> Iterator[Kube]:
    command = ["make", "install", f"NAMESPACE={kube.namespace}", f"TAG={cluster}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    yield kube
    helm("uninstall", "celeriac", "--namespace", kube.namespace, "--wait")


def test_helm_test_is_green(release: Kube) -> None:
    printed = helm("test", "celeriac", "--namespace", release.namespace, "--logs", "--timeout", "4m")
    assert printed.count("succeeded after") == 3


@pytest.mark.parametrize("forwarded", FORWARDED, ids=lambda forwarded: forwarded["resourceName"])
def test_what_skaffold_forwards_answers(release: Kube, forwarded: dict[str, str]) -> None:
    path, expected = PAGES[forwarded["resourceName"]]
    with port_forward(release, forwarded["resourceName"], int(forwarded["port"])) as url:
        wait_for(f"{expected} in {path}", lambda: expected in fetch(url + path, "flower:flower"), 60)
