"""The alerts, by promtool's unit tests, on the rules as the chart renders them."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.render import CHART, of_kind, render

CASES = Path(__file__).with_name("alerts.yaml")
MANUAL = CHART.parents[1] / "docs" / "alerts.md"


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    rendered = render({"metrics": {"rules": {"enabled": True}}})
    spec: dict[str, Any] = of_kind(rendered, "PrometheusRule")["celeriac-rules"]["spec"]
    return spec


def names(rules: dict[str, Any]) -> set[str]:
    return {rule["alert"] for group in rules["groups"] for rule in group["rules"]}


def test_every_alert_fires_when_it_should_and_only_then(rules: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(CASES, tmp_path / "alerts.yaml")
    command: list[str | Path] = ["promtool", "test", "rules", tmp_path / "alerts.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_and_explained(rules: dict[str, Any]) -> None:
    tested = {
        case["alertname"]
        for test in yaml.safe_load(CASES.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert tested == names(rules)
    explained = {line.removeprefix("## ") for line in MANUAL.read_text().splitlines() if line.startswith("## ")}
    assert explained == names(rules)
