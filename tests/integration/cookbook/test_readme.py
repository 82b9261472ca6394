"""The cookbook's README: its commands are run, and what they print is compared with what it shows."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from celeriac.testing import Platform, Server
from cookbook.web.main import create_app

from .conftest import serving

README = Path(__file__).parent.parent.parent.parent / "examples" / "cookbook" / "README.md"


def commands() -> list[tuple[str, str]]:
    """Return each command with the output that stands below it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.strip()))
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("readme")
    packages = "cookbook.patterns"
    with Server(folder / "valkey") as server, Platform(folder, server.url, task_packages=packages) as platform:
        platform.worker()
        platform.scheduler()
        with serving(create_app(platform.settings)) as http:
            yield {
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "COOKBOOK": str(http.base_url).rstrip("/"),
                "CELERIAC_REDIS_URL": server.url,
                "CELERIAC_TASK_PACKAGES": packages,
                "CELERIAC_TASK_ENTRY_POINTS": "false",
            }


def test_there_are_commands_for_every_pattern() -> None:
    assert len(commands()) > 15


@pytest.mark.parametrize(("command", "output"), commands())
def test_a_command_prints_what_the_readme_shows(
    environment: dict[str, str], command: str, output: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["bash", "-c", command], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    pattern = ".*?".join(re.escape(piece) for piece in output.split("…"))
    assert re.fullmatch(pattern, done.stdout.strip(), re.DOTALL), done.stdout
