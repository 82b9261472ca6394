"""The schema is closed, complete, and agrees with values.yaml and with the code."""

import json
from typing import Any

import pytest
import yaml
from tests.chart.render import CHART, RenderError, environment, of_kind, own_containers, pods, render

from celeriac import keys
from celeriac.settings import Settings

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference to its definition."""
    for part in schema.get("allOf", [schema]):
        if "$ref" in part:
            found: dict[str, Any] = SCHEMA["definitions"][part["$ref"].rsplit("/", 1)[1]]
            return found
    return schema


def undescribed(schema: dict[str, Any], path: str = "") -> list[str]:
    """Return the paths that say nothing of themselves or let unknown keys in."""
    faults = []
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        found = resolve(inner)
        if not (inner.get("description") or found.get("description")):
            faults.append(here)
        if "properties" in found and found.get("additionalProperties") is not False:
            faults.append(f"{here} is open")
        faults += undescribed(found, here)
    return faults


def unknown(schema: dict[str, Any], values: dict[str, Any], path: str = "") -> list[str]:
    """Return the keys of *values* that *schema* does not name, and the reverse."""
    properties = resolve(schema).get("properties")
    if properties is None:
        return []
    faults = [f"{path}.{name}" for name in properties.keys() ^ values.keys() - {"global"} if name != "global"]
    for name in properties.keys() & values.keys():
        if isinstance(values[name], dict) and values[name]:
            faults += unknown(properties[name], values[name], f"{path}.{name}")
    return faults


def test_every_value_is_described_and_closed() -> None:
    assert undescribed(SCHEMA) == []


def test_schema_and_values_name_the_same_keys() -> None:
    optional = ("claims", "initialDelaySeconds")  # Kubernetes' own, left to Kubernetes
    assert [fault for fault in unknown(SCHEMA, VALUES) if not fault.endswith(optional)] == []


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"redis": {"replicas": 5}}, "replicas"),
        ({"apii": {}}, "apii"),
        ({"workers": {"Bad_Name": {}}}, "Bad_Name"),
        ({"workers": {"a": {"pool": "eventlet"}}}, "pool"),
        ({"externalRedis": {"url": "redis://:password@host:6379/0"}}, "externalRedis/url"),
        ({"redis": {"config": {"appendonly": "no"}}}, "appendonly"),
    ],
)
def test_what_the_schema_refuses(values: dict[str, Any], word: str) -> None:
    with pytest.raises(RenderError, match=word):
        render(values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"workers": {"a": {"queues": ["default"], "shutdown": {"terminationGracePeriodSeconds": 30}}}},
            r"workers.a.shutdown: terminationGracePeriodSeconds \(30\) is below drainSeconds \(60\) \+ marginSeconds",
        ),
        ({"api": {"shutdown": {"terminationGracePeriodSeconds": 5}}}, "cut requests that are still being answered"),
        ({"delivery": {"leaseSeconds": 10}}, "their runs would run twice"),
        ({"queues": {"default": "other"}}, 'queues.default is "other", which no worker group consumes'),
        ({"redis": {"enabled": False}}, "externalRedis.url is empty"),
        ({"workers": {"default": {"autoscaling": {"mode": "hpa"}}}}, "an HPA cannot go to 0"),
        ({"workers": {"default": {"autoscaling": {"mode": "keda", "minReplicas": 11}}}}, "is above maxReplicas"),
        ({"workers": {"default": {"pool": "solo"}}}, "the solo pool runs one at a time"),
        ({"redis": {"maxmemory": "2Gi"}}, "the kernel would kill Redis before it could refuse a write"),
    ],
)
def test_values_that_contradict_each_other_are_refused_in_a_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RenderError, match=sentence):
        render(values)


def test_a_group_changes_one_field_and_keeps_the_rest() -> None:
    deployments = of_kind(render({"workers": {"default": {"concurrency": 7}}}), "Deployment")
    container = deployments["celeriac-worker-default"]["spec"]["template"]["spec"]["containers"][0]
    assert environment(container)["CELERIAC_WORKER_CONCURRENCY"] == "7"
    assert environment(container)["CELERIAC_WORKER_QUEUES"] == "default,io"


def test_null_removes_a_group() -> None:
    objects = render({"workers": {"default": None, "io": {"queues": ["default"]}}})
    assert [name for name in of_kind(objects, "Deployment") if "worker" in name] == ["celeriac-worker-io"]


@pytest.mark.parametrize("shape", ["minimal-values.yaml", "production-values.yaml", "external-redis-values.yaml"])
def test_every_setting_is_one_the_processes_know(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _, template in pods(render(shape=shape)):
        for container in own_containers(template):
            known = {n: v for n, v in environment(container).items() if n.startswith("CELERIAC_")}
            with monkeypatch.context() as patch:
                for name, value in known.items():
                    patch.setenv(name, value if isinstance(value, str) else "from-a-secret")
                Settings()  # refuses a name or a value that it does not know


def test_the_shutdown_numbers_reach_pod_and_process() -> None:
    values = {"workers": {"default": {"shutdown": {"drainSeconds": 300, "marginSeconds": 20}}}}
    spec = of_kind(render(values), "Deployment")["celeriac-worker-default"]["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 320
    assert environment(spec["containers"][0])["CELERIAC_WORKER_DRAIN_SECONDS"] == "300"


def test_keda_counts_every_list_and_what_is_in_flight() -> None:
    values = {"workers": {"default": {"queues": ["default", "io"], "autoscaling": {"mode": "keda"}}}}
    scaled = of_kind(render(values), "ScaledObject")["celeriac-worker-default"]["spec"]
    lists = [trigger["metadata"]["listName"] for trigger in scaled["triggers"]]
    expected = [*keys.queue_lists("default"), *keys.queue_lists("io"), keys.UNACKED + "default"]
    assert lists == expected
    names = [trigger["name"] for trigger in scaled["triggers"]]
    assert scaled["advanced"]["scalingModifiers"]["formula"] == " + ".join(names)


def test_keda_finds_an_external_redis() -> None:
    scaled = of_kind(render(shape="external-redis-values.yaml"), "ScaledObject")["celeriac-worker-default"]["spec"]
    trigger = scaled["triggers"][0]
    assert trigger["type"] == "redis"
    assert trigger["metadata"]["address"] == "cache.example.com:6380"
    assert trigger["metadata"]["databaseIndex"] == "2"
    assert trigger["metadata"]["enableTLS"] == "true"
