"""The cluster that KUBECONFIG names; without one these tests say so, and in CI that is a failure."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from tests.e2e.kube import Kube
from tests.e2e.wait import wait_for

HTTP_ROUTE = Path(__file__).parents[1] / "chart" / "crds" / "httproutes.json"


@pytest.fixture(scope="session")
def cluster() -> str:
    """Make sure that there are helm and a cluster; return the tag of the images that were loaded on it."""
    missing = None
    if not shutil.which("helm"):
        missing = "helm is not on PATH"
    try:
        config.load_kube_config()  # type: ignore[no-untyped-call]  # the client leaves it untyped
        client.VersionApi().get_code(_request_timeout=5)
    except (ConfigException, OSError) as error:
        missing = f"no cluster answers: set KUBECONFIG, or make one with 'make kind-up' ({error})"
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    return os.environ.get("TAG", "dev")


@pytest.fixture(scope="session")
def route_crd(cluster: str) -> Iterator[None]:
    """Lend the cluster the Gateway API's HTTPRoute, if it has none, so that it checks those too."""
    api = client.ApiextensionsV1Api()
    body = json.loads(HTTP_ROUTE.read_text())
    try:
        api.create_custom_resource_definition(body)
    except ApiException as error:
        if error.status != 409:
            raise
        yield
        return

    def established() -> bool:
        found = api.read_custom_resource_definition(body["metadata"]["name"])
        conditions = found.status.conditions or [] if found.status else []
        return any(c.type == "Established" and c.status == "True" for c in conditions)

    wait_for("the HTTPRoute kind", established)
    yield
    api.delete_custom_resource_definition(body["metadata"]["name"])


@pytest.fixture(scope="module")
def kube(cluster: str, request: pytest.FixtureRequest) -> Iterator[Kube]:
    """Give a module a namespace of its own, where Pod Security 'restricted' is enforced."""
    module = request.module.__name__.rsplit("_", 1)[-1]
    kube = Kube(f"celeriac-{module}-{uuid.uuid4().hex[:6]}", f"celeriac-api:{cluster}")
    kube.create()
    yield kube
    kube.delete()
