"""Prometheus scrapes every component through the chart's monitors, and every query has something to show."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from tests.chart.render import CHART
from tests.e2e.kube import Kube
from tests.e2e.release import install_drill, load, port_forward, workers
from tests.e2e.wait import wait_for

Ask = Callable[[str], list[Any]]
METRICS = {
    "podMonitor": {"enabled": True, "interval": "5s", "scrapeTimeout": "4s"},
    "rules": {"enabled": True},
    "dashboards": {"enabled": True},
}
EXPORTER = {"enabled": True, "image": {"repository": "redis-exporter"}}


@pytest.fixture(scope="module")
def prometheus(kube: Kube, cluster: str) -> Iterator[Ask]:
    """Install with monitoring on, put it to work and break a worker, so that there is something of everything."""
    exporter = {**EXPORTER, "image": {"repository": "redis-exporter", "tag": cluster}}
    redis = {"exporter": exporter, "persistence": {"size": "1Gi"}}
    install_drill(kube, cluster, metrics=METRICS, redis=redis, flower={"enabled": True})
    monitoring = Kube("monitoring", kube.image)
    with port_forward(monitoring, "prometheus", 9090) as url:

        def ask(query: str) -> list[Any]:
            answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=20).json()
            assert answer["status"] == "success", (query, answer)
            found: list[Any] = answer["data"]["result"]
            return found

        def rules() -> list[Any]:
            groups = httpx.get(f"{url}/api/v1/rules", timeout=20).json()["data"]["groups"]
            return [rule for group in groups for rule in group["rules"] if kube.namespace in rule["query"]]

        wait_for("the rules in Prometheus", rules, 90)
        with port_forward(kube, "celeriac-api", 8000) as api:
            failing = {"name": "drill.fail", "args": [1], "queue": "default"}
            httpx.post(f"{api}/v1/tasks", json=failing, timeout=20).raise_for_status()
        script = load(kube, "work", 300, 20)
        script.said("quarter")
        kube.delete_pod(workers(kube, "io")[0].metadata.name, 0)
        assert script.result()["lost"] == 0
        ask.rules = rules  # type: ignore[attr-defined]  # the one other question that tests ask
        yield ask


def test_every_component_is_scraped(kube: Kube, prometheus: Ask) -> None:
    expected = {"api": 2, "scheduler": 2, "worker": 4, "flower": 1, "redis": 3}

    def up() -> bool:
        found = prometheus(f'sum by (component) (up{{namespace="{kube.namespace}"}})')
        return {entry["metric"]["component"]: int(entry["value"][1]) for entry in found} == expected

    wait_for(f"all targets up: {expected}", up, 90)


def dashboard_queries() -> list[str]:
    board = json.loads((CHART / "dashboards" / "celeriac.json").read_text())
    panels = [inner for panel in board["panels"] for inner in [panel, *panel.get("panels", [])]]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def test_every_query_of_the_dashboard_returns_data(kube: Kube, prometheus: Ask) -> None:
    queries = dashboard_queries()
    assert len(queries) > 15
    without = []
    for query in queries:
        asked = query.replace("$namespace", kube.namespace).replace("$release", "celeriac")
        asked = asked.replace("$__rate_interval", "10m")
        if not prometheus(asked):
            without.append(asked)
    for asked in without:
        wait_for(f"data for {asked}", partial(prometheus, asked), 60)


def test_every_series_that_an_alert_looks_at_is_there(kube: Kube, prometheus: Ask) -> None:
    rules = prometheus.rules()  # type: ignore[attr-defined]
    assert {rule["health"] for rule in rules} == {"ok"}
    selectors = {found for rule in rules for found in re.findall(r"[a-z_]+\{[^}]*\}", rule["query"])}
    assert len(selectors) > 8
    for selector in selectors:
        wait_for(f"data for {selector}", partial(prometheus, selector), 60)
