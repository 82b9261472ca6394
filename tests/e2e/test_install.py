"""From an empty namespace to a release that works, and away again, under Pod Security 'restricted'."""

import base64
import json
import time
from collections.abc import Iterator

import pytest
import yaml
from tests.chart.render import SHAPES
from tests.e2e.helm import CHART, helm, install
from tests.e2e.kube import Kube
from tests.e2e.release import fetch, port_forward, values
from tests.e2e.wait import wait_for


@pytest.fixture(scope="module")
def release(kube: Kube, cluster: str) -> Iterator[Kube]:
    began = time.monotonic()
    install("celeriac", kube.namespace, values(cluster))
    print({"install to ready, seconds": round(time.monotonic() - began, 1)})
    yield kube
    helm("uninstall", "celeriac", "--namespace", kube.namespace, "--wait")
    ours = {"namespace": kube.namespace, "label_selector": "app.kubernetes.io/instance=celeriac"}
    left = [claim.metadata.name for claim in kube.core.list_namespaced_persistent_volume_claim(**ours).items]
    assert left == [f"data-celeriac-redis-{index}" for index in range(3)]
    for still_there in (kube.core.list_namespaced_secret, kube.core.list_namespaced_config_map):
        assert still_there(**ours).items == []


@pytest.mark.parametrize("shape", SHAPES)
def test_the_api_server_takes_every_object_of_every_shape(kube: Kube, route_crd: None, shape: str) -> None:
    text = helm("template", "shape", str(CHART), "--namespace", kube.namespace, "--values", str(CHART / "ci" / shape))
    for found in yaml.safe_load_all(text):  # the tests' pods are admitted only with their account
        if found["kind"] == "ServiceAccount":
            kube.ensure_account(found["metadata"]["name"])
    assert kube.dry_run(text) == ""


def test_helm_test_is_green_even_across_a_failover(release: Kube) -> None:
    printed = helm("test", "celeriac", "--namespace", release.namespace, "--logs", "--timeout", "4m")
    print(printed)
    assert printed.count("succeeded after") == 3
    assert "the master was" in printed


def test_the_api_answers_through_a_port_forward(release: Kube) -> None:
    with port_forward(release, "celeriac-api", 8000) as url:
        workers = json.loads(fetch(f"{url}/health/celery"))["workers"]
        assert workers[0]["report"]["queues"] == ["default", "io"]
        assert "cookbook.patterns.basic.add" in fetch(f"{url}/v1/catalog")


def test_flower_shows_workers_and_queues_through_a_port_forward(release: Kube) -> None:
    secret = release.core.read_namespaced_secret("celeriac-flower", release.namespace).data["basic-auth"]
    user = base64.b64decode(secret).decode()
    worker = release.pods("worker")[0].metadata.name
    with port_forward(release, "celeriac-flower", 5555) as url:
        wait_for("the worker in Flower", lambda: worker in fetch(f"{url}/workers", user), 60)
        assert "io" in fetch(f"{url}/broker", user)


def test_upgrade_and_rollback_keep_secrets_and_claims(release: Kube, cluster: str) -> None:
    def password() -> str:
        return str(release.core.read_namespaced_secret("celeriac-redis", release.namespace).data["redis-password"])

    def concurrency() -> str:
        container = release.apps.read_namespaced_deployment(
            "celeriac-worker-default", release.namespace
        ).spec.template.spec.containers[0]
        return next(str(entry.value) for entry in container.env if entry.name == "CELERIAC_WORKER_CONCURRENCY")

    before = password()
    changed = values(cluster)
    changed["workers"]["default"]["concurrency"] = 3
    changed["logLevel"] = "warning"
    install("celeriac", release.namespace, changed)
    assert (concurrency(), password()) == ("3", before)
    helm("rollback", "celeriac", "--namespace", release.namespace, "--wait", "--timeout", "5m")
    assert (concurrency(), password()) == ("2", before)
    assert release.ready("redis", 3)


@pytest.fixture(params=["other in the same namespace", "celeriac in another namespace"])
def beside(release: Kube, request: pytest.FixtureRequest) -> Iterator[tuple[str, Kube]]:
    """Name a second release, and say where it goes."""
    name, _, where = request.param.partition(" in ")
    if where == "the same namespace":
        yield name, release
        helm("uninstall", name, "--namespace", release.namespace, "--wait")
        return
    kube = Kube(f"{release.namespace}-beside", release.image)
    kube.create()
    yield name, kube
    kube.delete()


def test_a_second_release_beside_the_first(release: Kube, cluster: str, beside: tuple[str, Kube]) -> None:
    name, kube = beside
    install(name, kube.namespace, values(cluster, flower={"enabled": False}, api={"replicas": 1}))
    full_name = "celeriac" if name == "celeriac" else f"{name}-celeriac"
    round_trip = ("--filter", f"name={full_name}-test-round-trip")
    assert "succeeded after" in helm("test", name, "--namespace", kube.namespace, "--logs", *round_trip)
    for place, service in ((release, "celeriac-api"), (kube, f"{full_name}-api")):
        with port_forward(place, service, 8000) as url:
            assert len(json.loads(fetch(f"{url}/health/celery"))["workers"]) == 1, "releases must not see each other"
