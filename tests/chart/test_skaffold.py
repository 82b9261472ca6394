"""skaffold.yaml against skaffold's own schema, and against the images and values that there are."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.chart.render import CHART, render

ROOT = CHART.parents[1]
SKAFFOLD: dict[str, Any] = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
SCHEMA = Path(__file__).with_name("skaffold-v4beta13.json")


def test_it_follows_the_schema() -> None:
    assert SKAFFOLD["apiVersion"] == "skaffold/v4beta13"
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(SKAFFOLD)


def test_it_builds_the_images_that_make_builds() -> None:
    made = set(re.findall(r"--tag ([a-z-]+):", (ROOT / "charts.mk").read_text())) - {"celeriac-"}
    services = {f"celeriac-{path.parent.name}" for path in (ROOT / "services").glob("*/Dockerfile")}
    assert {artifact["image"] for artifact in SKAFFOLD["build"]["artifacts"]} == made | services
    for artifact in SKAFFOLD["build"]["artifacts"]:
        name = artifact.get("docker", {}).get("dockerfile", "Dockerfile")
        assert (ROOT / artifact["context"] / name).is_file()


@pytest.mark.parametrize("profile", [None, "production"])
def test_the_chart_takes_the_values_it_gives(profile: str | None) -> None:
    config = SKAFFOLD
    if profile:
        config = next(found for found in SKAFFOLD["profiles"] if found["name"] == profile)
    release = config["deploy"]["helm"]["releases"][0]
    merged: dict[str, Any] = {}
    for name in release["valuesFiles"]:
        merge(merged, yaml.safe_load((ROOT / name).read_text()))
    for path in release["setValueTemplates"]:
        inner: Any = "made-by-skaffold"
        for part in reversed(path.split(".")):
            inner = {part: inner}
        merge(merged, inner)
    assert render(merged)


def merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Lay *more* over *into*, as helm does with values files."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
