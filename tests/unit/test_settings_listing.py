import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from celeriac.settings import load
from celeriac.settings.listing import effective, entries
from celeriac.settings.secrecy import mask

ROOT = Path(__file__).parent.parent.parent
SECRET = "hunter2-of-the-data"


def test_every_setting_says_what_it_is() -> None:
    found = entries()
    assert len({entry.variable for entry in found}) == len(found) > 40
    assert [entry.variable for entry in found if not (entry.description and entry.kind)] == []


def test_the_reference_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "tools/settings_page.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://:s3cret@host:6379/0", "redis://:**********@host:6379/0"),
        ("db+postgresql://user:s3:cret@host/db", "db+postgresql://user:**********@host/db"),
        ("sentinel://:a@h1:1;sentinel://:b@h2:2", "sentinel://:**********@h1:1;sentinel://:**********@h2:2"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("http://127.0.0.1:8000/@x", "http://127.0.0.1:8000/@x"),
    ],
)
def test_passwords_in_urls_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_value_comes_with_its_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CELERIAC_WORKER_CONCURRENCY=7\nCELERIAC_API_PORT=1\n")
    monkeypatch.setenv("CELERIAC_API_PORT", "9")
    found = {line.variable: (line.value, line.source) for line in effective(load(), folder=tmp_path)}
    assert found["CELERIAC_WORKER_CONCURRENCY"] == ("7", ".env")
    assert found["CELERIAC_API_PORT"] == ("9", "environment")
    assert found["CELERIAC_TASK_QUEUES"] == ("default,io", "default")


@pytest.mark.parametrize("options", [[], ["--json"], ["--changed"]])
def test_the_command_shows_no_secret(tmp_path: Path, options: list[str]) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "celeriac", "settings", *options],
        cwd=tmp_path,
        env={
            **os.environ,
            "CELERIAC_REDIS_URL": "sentinel://h1:1,h2:2/0",
            "CELERIAC_REDIS_PASSWORD": SECRET,
            "CELERIAC_REDIS_SENTINEL_PASSWORD": SECRET,
            "CELERIAC_RESULT_BACKEND": f"db+postgresql://user:{SECRET}@h/db",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "CELERIAC_RESULT_BACKEND" in done.stdout
    if options == ["--json"]:
        lines = {line["variable"]: line for line in map(json.loads, done.stdout.splitlines())}
        assert lines["CELERIAC_REDIS_PASSWORD"]["source"] == "environment"
        assert lines["CELERIAC_RESULT_BACKEND"]["value"] == "db+postgresql://user:**********@h/db"
