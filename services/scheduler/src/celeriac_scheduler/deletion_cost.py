"""Tells Kubernetes which workers are busy, so that a group that shrinks loses the idle ones first.

A ReplicaSet that has to remove pods takes those with the lowest ``controller.kubernetes.io/pod-deletion-cost``. The
cost written here is the number of runs a worker has.
"""

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from celeriac import keys
from celeriac.errors import ConfigurationError
from celeriac.leader import Leader

log = structlog.get_logger(__name__)

ANNOTATION: Final = "controller.kubernetes.io/pod-deletion-cost"
_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_INTERVAL: Final = 5.0
_DEADLINE: Final = 5.0
_MOST_PATCHES: Final = 100
"""Pods marked in one turn; the others have theirs in the next."""


class Pods:
    """The pods of this process's own namespace, through the API of Kubernetes."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        try:
            self._host, self._port = environ["KUBERNETES_SERVICE_HOST"], int(environ["KUBERNETES_SERVICE_PORT"])
            self._namespace = (_ACCOUNT / "namespace").read_text()
            self._tls = ssl.create_default_context(cafile=_ACCOUNT / "ca.crt")
            # Strict since Python 3.13: it refuses cluster authorities without the extensions of RFC 5280.
            self._tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        except (KeyError, OSError) as error:
            raise ConfigurationError(
                "CELERIAC_SCHEDULER_POD_DELETION_COST works in a pod whose ServiceAccount token is mounted: "
                f"unset it elsewhere ({error})"
            ) from error

    def annotate(self, pod: str, name: str, value: str) -> bool:
        """Set an annotation. Returns False if there is no such pod.

        Raises:
            OSError: the API does not answer, or refuses.
        """
        token = (_ACCOUNT / "token").read_text()  # it is replaced from time to time
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=_DEADLINE, context=self._tls)
        try:
            connection.request(
                "PATCH",
                f"/api/v1/namespaces/{self._namespace}/pods/{pod}",
                json.dumps({"metadata": {"annotations": {name: value}}}),
                {"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"},
            )
            answer = connection.getresponse()
            body = answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"the API of Kubernetes broke off: {error}") from error
        finally:
            connection.close()
        if answer.status == http.client.NOT_FOUND:
            return False
        if answer.status >= http.client.BAD_REQUEST:
            raise OSError(f"the API of Kubernetes refused: {answer.status} {body[:200]!r}")
        return True


class DeletionCost:
    """The duty of marking workers. A mark is written when it changes, not more often."""

    name = "deletion-cost"

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self._marked: dict[str, int] = {}

    def turn(self, leader: Leader) -> float:
        active = _active_by_pod(leader.client)
        self._marked = {pod: cost for pod, cost in self._marked.items() if pod in active}
        changed = [pod for pod, runs in active.items() if self._marked.get(pod) != runs]
        for pod in changed[:_MOST_PATCHES]:
            if leader.fence is None:
                break
            self._pods.annotate(pod, ANNOTATION, str(active[pod]))
            self._marked[pod] = active[pod]
        return _INTERVAL

    def stand_by(self) -> None:
        self._marked.clear()


def _active_by_pod(client: Any) -> dict[str, int]:
    """Return the number of runs of each worker by its host name, which in Kubernetes is its pod's."""
    names = client.zrange(keys.WORKERS, 0, -1)
    if not names:
        return {}
    words = client.mget([keys.WORKER + name.decode() for name in names])
    found = [json.loads(word) for word in words if word]
    return {str(word["host"]): int(word["active"]) for word in found}
