"""Rules that hold for whatever the chart renders."""

import re
from typing import Any

import pytest
from tests.chart.render import SHAPES, Object, environment, own_containers, pods, render

LONG = "a-release-name-as-long-as-helm-will-have-it-53-chars-"[:52] + "x"


@pytest.fixture(scope="module", params=SHAPES)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return render(shape=request.param)


def test_every_container_says_what_it_needs_and_may_take(objects: list[Object]) -> None:
    for name, template in pods(objects):
        for container in own_containers(template):
            resources = container["resources"]
            assert {"cpu", "memory"} <= resources["requests"].keys(), (name, container["name"])
            assert "memory" in resources["limits"], (name, container["name"])


def test_every_pod_is_fit_for_pod_security_restricted(objects: list[Object]) -> None:
    for name, template in pods(objects):
        security = template["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in own_containers(template):
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"] is True, (name, container["name"])
            assert own["allowPrivilegeEscalation"] is False, (name, container["name"])
            assert own["capabilities"] == {"drop": ["ALL"]}, (name, container["name"])


def test_every_container_that_stays_is_probed(objects: list[Object]) -> None:
    for name, template in pods(objects):
        if template["spec"].get("restartPolicy") == "Never":
            continue
        for container in own_containers(template):
            assert "livenessProbe" in container, (name, container["name"])
            assert "readinessProbe" in container, (name, container["name"])


def test_no_secret_is_written_out(objects: list[Object]) -> None:
    for name, template in pods(objects):
        for container in own_containers(template):
            for variable, value in environment(container).items():
                if re.search("PASSWORD|SECRET|TOKEN|AUTH", variable):
                    assert isinstance(value, dict), (name, variable)
                    assert "secretKeyRef" in value, (name, variable)


def test_no_name_of_the_environment_comes_twice(objects: list[Object]) -> None:
    for name, template in pods(objects):
        for container in own_containers(template):
            names = [entry["name"] for entry in container.get("env", [])]
            assert len(names) == len(set(names)), name


def test_no_replicas_where_a_scaler_owns_them(objects: list[Object]) -> None:
    scaled = {
        found["spec"]["scaleTargetRef"]["name"]
        for found in objects
        if found["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
    }
    for found in objects:
        if found["kind"] == "Deployment":
            assert ("replicas" in found["spec"]) == (found["metadata"]["name"] not in scaled), found["metadata"]


def test_no_pod_gets_service_links_and_only_the_scheduler_a_token(objects: list[Object]) -> None:
    for name, template in pods(objects):
        assert template["spec"]["enableServiceLinks"] is False, name
        token = template["spec"]["automountServiceAccountToken"]
        assert token is False or name.endswith("-scheduler"), name


def test_each_component_has_an_account_and_a_policy_of_its_own(objects: list[Object]) -> None:
    accounts = {found["metadata"]["name"] for found in objects if found["kind"] == "ServiceAccount"}
    policies = [found["spec"]["podSelector"]["matchLabels"] for found in objects if found["kind"] == "NetworkPolicy"]
    for name, template in pods(objects):
        assert template["spec"]["serviceAccountName"] in accounts, name
        labels = template["metadata"]["labels"]
        assert any(selector.items() <= labels.items() for selector in policies), name


def test_budgets_let_unhealthy_pods_go(objects: list[Object]) -> None:
    budgets = [found for found in objects if found["kind"] == "PodDisruptionBudget"]
    assert budgets
    assert all(budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow" for budget in budgets)


def _names(found: Any) -> list[str]:
    """Return every name and label value in *found*."""
    if isinstance(found, dict):
        labels = [value for key in ("labels", "matchLabels") for value in found.get(key, {}).values()]
        name = [found["name"]] if isinstance(found.get("name"), str) else []
        return name + labels + [inner for value in found.values() for inner in _names(value)]
    if isinstance(found, list):
        return [inner for value in found for inner in _names(value)]
    return []


@pytest.mark.parametrize("shape", SHAPES)
def test_names_and_labels_fit_whatever_the_release_is_called(shape: str) -> None:
    objects = render(shape=shape, release=LONG)
    for found in objects:
        limit = 52 if found["kind"] in ("StatefulSet", "ScaledObject", "Deployment") else 63
        assert len(found["metadata"]["name"]) <= limit, found["metadata"]["name"]
        assert not [name for name in _names(found) if len(name) > 63]


def test_long_names_that_differ_at_the_end_stay_apart() -> None:
    one = {found["metadata"]["name"] for found in render(release=LONG)}
    other = {found["metadata"]["name"] for found in render(release=LONG[:-1] + "y")}
    assert not one & other


@pytest.mark.parametrize("shape", SHAPES)
def test_selectors_survive_an_upgrade(shape: str) -> None:
    before = render(shape=shape)
    after = render({"image": {"tag": "9.9.9"}, "commonLabels": {"new": "label"}, "logLevel": "error"}, shape=shape)

    def fixed(objects: list[Object]) -> dict[str, Any]:
        kept = {}
        for found in objects:
            if found["kind"] in ("Deployment", "StatefulSet"):
                spec = found["spec"]
                kept[found["metadata"]["name"]] = (spec["selector"], spec.get("volumeClaimTemplates"))
        return kept

    assert fixed(before) == fixed(after)


def test_an_upgrade_of_the_chart_alone_restarts_nothing(objects: list[Object]) -> None:
    for name, template in pods(objects):
        if template.get("kind") != "Pod":
            labels = template["metadata"]["labels"]
            assert not {"helm.sh/chart", "app.kubernetes.io/version"} & labels.keys(), name
