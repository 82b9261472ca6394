"""NetworkPolicies: what has no business with Redis or a worker does not reach them."""

import pytest
from tests.e2e.helm import install
from tests.e2e.kube import Kube
from tests.e2e.release import values


@pytest.fixture(scope="module")
def addresses(kube: Kube, cluster: str) -> dict[str, str]:
    install("celeriac", kube.namespace, values(cluster, flower={"enabled": False}))
    redis, worker = kube.pods("redis")[0].status.pod_ip, kube.pods("worker")[0].status.pod_ip
    return {
        "redis": f"{redis}:6379",
        "sentinel": f"{redis}:26379",
        "worker": f"{worker}:8080",
        "api": "celeriac-api:8000",
    }


def reached(kube: Kube, name: str, addresses: dict[str, str], labels: dict[str, str]) -> dict[str, bool]:
    """Try to connect to each address from a pod with *labels*."""
    script = kube.start(name, "connect.py", *addresses.values(), labels=labels)
    found = script.result()
    return {what: found[address] for what, address in addresses.items()}


def test_a_pod_without_the_label_reaches_the_api_alone(kube: Kube, addresses: dict[str, str]) -> None:
    expected = {"redis": False, "sentinel": False, "worker": False, "api": True}
    assert reached(kube, "stranger", addresses, {}) == expected


def test_a_pod_with_the_label_reaches_redis(kube: Kube, addresses: dict[str, str]) -> None:
    expected = {"redis": True, "sentinel": True, "worker": False, "api": True}
    assert reached(kube, "client", addresses, {"celeriac.dev/redis-client": "celeriac"}) == expected


def test_a_pod_that_calls_itself_a_component_of_another_release_does_not(
    kube: Kube, addresses: dict[str, str]
) -> None:
    labels = {
        "app.kubernetes.io/name": "celeriac",
        "app.kubernetes.io/instance": "other",
        "app.kubernetes.io/component": "api",
    }
    assert not reached(kube, "other", addresses, labels)["redis"]
