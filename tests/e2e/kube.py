"""One namespace of the cluster that KUBECONFIG names."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from tests.e2e.wait import wait_for

INSIDE = Path(__file__).parent / "inside"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
SECURITY = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


@dataclass
class Kube:
    """What tests do in one namespace, which enforces the Pod Security level ``restricted``."""

    namespace: str
    image: str
    core: Any = field(default_factory=client.CoreV1Api)
    apps: Any = field(default_factory=client.AppsV1Api)
    objects: Any = field(default_factory=client.CustomObjectsApi)

    def create(self) -> None:
        """Make the namespace."""
        self.core.create_namespace({"metadata": {"name": self.namespace, "labels": RESTRICTED}})

    def delete(self) -> None:
        """Remove the namespace and wait until it is gone; nothing in it is given time to drain."""
        self.core.delete_namespace(self.namespace)
        self.core.delete_collection_namespaced_pod(self.namespace, grace_period_seconds=0)
        wait_for(f"the end of namespace {self.namespace}", self._is_gone, 180)

    def _is_gone(self) -> bool:
        try:
            self.core.read_namespace(self.namespace)
        except ApiException as error:
            return bool(error.status == 404)
        return False

    def pods(self, component: str, release: str = "celeriac") -> list[Any]:
        """Return the pods of *component*, by name; those that are ending too."""
        selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/component={component}"
        found = self.core.list_namespaced_pod(self.namespace, label_selector=selector).items
        return sorted(found, key=lambda pod: str(pod.metadata.name))

    def ready(self, component: str, count: int, release: str = "celeriac") -> bool:
        """Tell whether *component* has exactly *count* pods and all are ready."""
        pods = self.pods(component, release)
        return len(pods) == count and all(is_ready(pod) for pod in pods)

    def restarts(self, component: str, release: str = "celeriac") -> dict[str, int]:
        """Return how often the containers of each pod of *component* were restarted."""
        return {
            pod.metadata.name: sum(status.restart_count for status in pod.status.container_statuses or [])
            for pod in self.pods(component, release)
        }

    def delete_pod(self, name: str, grace: int | None = None) -> None:
        """Ask for the end of a pod; a *grace* of 0 ends it at once, as the loss of its node would."""
        self.core.delete_namespaced_pod(name, self.namespace, grace_period_seconds=grace)

    def run(self, pod: str, *command: str, container: str | None = None) -> str:
        """Run *command* in a container of *pod* and return what it printed."""
        more = {"container": container} if container else {}
        return str(
            stream(
                self.core.connect_get_namespaced_pod_exec, pod, self.namespace, command=list(command),
                stdout=True, stderr=True, stdin=False, tty=False, _request_timeout=30, **more,
            )
        )  # fmt: skip

    def redis_master(self) -> str:
        """Return the pod that the Sentinels call master; "" while none of them answers."""
        ask = 'REDISCLI_AUTH="$SENTINEL_PASSWORD" redis-cli -p 26379 --raw SENTINEL GET-MASTER-ADDR-BY-NAME mymaster'
        for pod in self.pods("redis"):
            try:
                found = self.run(pod.metadata.name, "sh", "-c", ask, container="sentinel").split(".")[0]
            except ApiException:
                continue  # it is on its way out or in
            if found.startswith("celeriac-redis-"):
                return found
        return ""

    def ensure_account(self, name: str) -> None:
        """Make the ServiceAccount *name* if there is none."""
        try:
            self.core.create_namespaced_service_account(self.namespace, {"metadata": {"name": name}})
        except ApiException as error:
            if error.status != 409:
                raise

    def dry_run(self, manifests: str) -> str:
        """Have the API server check *manifests* as server-side apply would; return what it refuses."""
        command = ["kubectl", "--namespace", self.namespace, "apply", "--server-side", "--dry-run=server", "-f", "-"]
        done = subprocess.run(command, input=manifests, capture_output=True, text=True, timeout=120)
        return done.stderr if done.returncode else ""

    def start(self, name: str, script: str, *arguments: str, **pod: Any) -> "Script":
        """Run ``inside/<script>`` in a pod of its own; *pod* may hold ``labels`` and ``env``."""
        source = (INSIDE / script).read_text()
        self.core.create_namespaced_config_map(self.namespace, {"metadata": {"name": name}, "data": {script: source}})
        container = {
            "name": "script",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", f"/script/{script}", *arguments],
            "env": pod.get("env", []),
            "securityContext": SECURITY,
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
            "volumeMounts": [{"name": "script", "mountPath": "/script"}, {"name": "tmp", "mountPath": "/tmp"}],
        }
        self.core.create_namespaced_pod(
            self.namespace,
            {
                "metadata": {"name": name, "labels": pod.get("labels", {})},
                "spec": {
                    "restartPolicy": "Never",
                    "enableServiceLinks": False,
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": 1,
                    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [container],
                    "volumes": [
                        {"name": "script", "configMap": {"name": name}},
                        {"name": "tmp", "emptyDir": {}},
                    ],
                },
            },
        )
        return Script(self, name)


@dataclass
class Script:
    """A pod that runs a script and prints lines of JSON, the last of which is its result."""

    kube: Kube
    name: str

    def phase(self) -> str:
        """Return Pending, Running, Succeeded or Failed."""
        return str(self.kube.core.read_namespaced_pod(self.name, self.kube.namespace).status.phase)

    def lines(self) -> list[Any]:
        """Return what it has printed so far."""
        if self.phase() == "Pending":
            return []
        log = self.kube.core.read_namespaced_pod_log(self.name, self.kube.namespace, _preload_content=False)
        return [json.loads(line) for line in log.data.decode().splitlines() if line.startswith("{")]

    def said(self, key: str, seconds: float = 60) -> Any:
        """Wait for a line that holds *key* and return its value."""
        found = wait_for(f"{key!r} from {self.name}", lambda: [line for line in self.lines() if key in line], seconds)
        return found[-1][key]

    def stop(self) -> None:
        """Ask the script to come to its end."""
        self.kube.run(self.name, "touch", "/tmp/stop")

    def result(self, seconds: float = 120) -> Any:
        """Wait for the script's end and return its last line."""
        phase = wait_for(
            f"the end of {self.name}", lambda: self.phase() in ("Succeeded", "Failed") and self.phase(), seconds
        )
        if phase == "Failed":
            raise AssertionError(self.kube.core.read_namespaced_pod_log(self.name, self.kube.namespace))
        return self.lines()[-1]


def is_ready(pod: Any) -> bool:
    """Tell whether a pod is ready and not on its way out."""
    if pod.metadata.deletion_timestamp:
        return False
    return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or [])
