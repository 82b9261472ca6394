"""The other commands, and what ``make dev`` promises, against one platform that it runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from celeriac.testing import until

from .conftest import Dev

pytestmark = pytest.mark.timeout(240)

COMMAND = Path(sys.executable).parent / "celeriac"


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    dev = Dev(tmp_path_factory.mktemp("commands") / "dev")
    try:
        dev.wait_for("all is up")
        yield dev
    finally:
        dev.kill()


def celeriac(dev: Dev, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        env={**os.environ, "CELERIAC_API_URL": dev.api, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_submit_waits_for_the_result(dev: Dev) -> None:
    ran = celeriac(dev, "submit", "cookbook.thumbnails", "width=64", 'photos=["ridge"]', "--wait")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["sizes"] == {"ridge": [64, 43]}


def test_submit_gives_an_id_that_watch_follows(dev: Dev) -> None:
    id = celeriac(dev, "submit", "cookbook.report", "year=2025", "--priority", "0").stdout.strip()
    ran = celeriac(dev, "watch", id, "--timeout", "50")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["orders"] == 50_000
    assert "50,000 of 50,000 orders read" in ran.stderr


def test_what_the_api_refuses_is_named_field_by_field(dev: Dev) -> None:
    ran = celeriac(dev, "submit", "cookbook.report", "year=soon", "country=DE")
    assert ran.returncode == 1
    assert "/kwargs/year" in ran.stderr
    assert "/kwargs/country" in ran.stderr
    ran = celeriac(dev, "submit", "cookbook.reprot")
    assert ran.returncode == 1
    assert "cookbook.report" in ran.stderr


def test_catalog_lists_and_shows(dev: Dev) -> None:
    assert "cookbook.freshness" in celeriac(dev, "catalog").stdout
    shown = json.loads(celeriac(dev, "catalog", "cookbook.report").stdout)
    assert shown["arguments"]["properties"]["year"]["minimum"] == 2000


def test_no_api_is_one_line() -> None:
    ran = subprocess.run(
        [COMMAND, "catalog", "--api", "http://127.0.0.1:9"], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("celeriac: No answer from http://127.0.0.1:9")


def test_the_addresses_it_printed_answer(dev: Dev) -> None:
    chart = httpx.get(dev.url(r"its chart +(\S+)"), timeout=10)
    assert chart.headers["content-type"] == "image/png"
    assert chart.content.startswith(b"\x89PNG")
    for pattern in (r"this run +(\S+)", r"worker-io metrics +(\S+)", r"scheduler metrics +(\S+)", r"flower +(\S+)"):
        assert httpx.get(dev.url(pattern), timeout=10, follow_redirects=True).status_code == 200


def test_the_cookbooks_schedule_fires(dev: Dev) -> None:
    until(lambda: "cookbook.freshness[" in dev.output, 120)
