"""compose.yaml: by the compose specification, and with every command, port, path and variable in it real."""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from celeriac.settings import load
from celeriac.testing import Platform, Server, until
from celeriac.testing.server import free_port

ROOT = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
BUILT = [name for name, service in SERVICES.items() if "build" in service]
SECRETS = {"CELERIAC_REDIS_PASSWORD": "a-long-random-word", "FLOWER_BASIC_AUTH": "me:of-flower"}
MODULES = {
    "celeriac-api": "celeriac_api.main",
    "celeriac-worker": "celeriac_worker.main",
    "celeriac-scheduler": "celeriac_scheduler.main",
    "celeriac-flower": "celeriac_flower.main",
}


def filled(value: str) -> str:
    """Return *value* with ``${NAME…}`` filled in, as compose does it."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda match: SECRETS[match[1]], value)


def dockerfile(name: str) -> str:
    text: str = (ROOT / SERVICES[name]["build"]["dockerfile"]).read_text()
    if re.search(r"^FROM \$\{WORKER\}", text, re.MULTILINE):
        return text + (ROOT / "services/worker/Dockerfile").read_text()
    return text


def test_it_follows_the_compose_specification() -> None:
    program = str(Path(sys.executable).parent / "check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", "compose.yaml"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_services_of_the_document_are_there() -> None:
    assert {"redis", "api", "worker-default", "worker-io", "beat", "flower"} <= SERVICES.keys()
    assert {queue for name in SERVICES if (queue := queues_of(name))} == {"default", "io"}
    for name, service in SERVICES.items():
        if "profiles" not in service:
            assert service["healthcheck"]["test"][0] == "CMD", name
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"]
        for other in service.get("depends_on", {}):
            assert other in SERVICES


def queues_of(name: str) -> str | None:
    queues: str | None = SERVICES[name].get("environment", {}).get("CELERIAC_WORKER_QUEUES")
    return queues


def test_the_images_are_the_charts() -> None:
    chart = re.findall(r"repository: (celeriac-\w+)", (ROOT / "charts/celeriac/values.yaml").read_text())
    assert {SERVICES[name]["image"].partition(":")[0] for name in BUILT} - {"celeriac-worker"} == set(chart)


@pytest.mark.parametrize("name", BUILT)
def test_every_variable_is_a_setting(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in SERVICES[name].get("environment", {}).items():
        monkeypatch.setenv(variable, filled(value))
    monkeypatch.setenv("CELERIAC_ENVIRONMENT", "production")  # as in the images
    load(os.environ)


@pytest.mark.parametrize("name", BUILT)
def test_published_ports_are_exposed_ones(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert f"EXPOSE {port.rpartition(':')[2]}" in dockerfile(name)


@pytest.mark.parametrize("name", [name for name in BUILT if "profiles" not in SERVICES[name]])
def test_it_starts_and_its_health_check_passes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each service as a process with compose's own variables; only addresses are changed."""
    (entry,) = set(re.findall(r'"(celeriac-\w+)"\]', dockerfile(name)))
    module = MODULES[entry]
    check = SERVICES[name]["healthcheck"]["test"][1:]
    inside = re.search(r"127\.0\.0\.1:(\d+)", check[-1])
    assert inside
    assert f"EXPOSE {inside[1]}" in dockerfile(name)
    port = str(free_port())
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, filled(value))
    for variable in ("CELERIAC_API_PORT", "CELERIAC_WORKER_PORT", "CELERIAC_SCHEDULER_PORT", "FLOWER_PORT"):
        monkeypatch.setenv(variable, port)
    password = SECRETS["CELERIAC_REDIS_PASSWORD"]
    with Server(tmp_path / "redis", options={"requirepass": password}) as server:
        monkeypatch.setenv("CELERIAC_REDIS_URL", server.url)
        with Platform(tmp_path, server.url, task_packages="cookbook.patterns", redis_password=password) as platform:
            process = platform.start(module)
            command = [sys.executable, *(part.replace(f":{inside[1]}", f":{port}") for part in check[1:])]
            assert check[0] == "python"
            until(
                lambda: (
                    subprocess.run(command, capture_output=True).returncode == 0 or process.process.poll() is not None
                ),
                90,
            )
            assert process.process.poll() is None, process.log


def test_redis_takes_its_command_and_its_health_check(tmp_path: Path) -> None:
    parser = ArgumentParser()
    for option in ("--requirepass", "--appendonly", "--maxmemory-policy"):
        parser.add_argument(option)
    command = [filled(part) for part in SERVICES["redis"]["command"]]
    options = {name.replace("_", "-"): value for name, value in vars(parser.parse_args(command[1:])).items()}
    with Server(tmp_path / "redis", options=options) as server, server.client() as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("appendonly")["appendonly"] == "yes"
