"""Files that a task hands over with its result, kept beside it rather than in it.

A task needs no import for this; what it returns follows a convention (``docs/artifacts.md``)::

    return {"total": 17, "artifacts": {"chart.png": {"content_type": "image/png", "data": png_bytes}}}

The worker takes the bytes out before it encodes the result, so a result stays small and can be shown as JSON.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import redis
from kombu.exceptions import EncodeError
from redis.client import Pipeline

from celeriac import keys
from celeriac.errors import CeleriacError
from celeriac.settings.task import ResultSettings

MAX_ARTIFACTS = 16
"""Artifacts of one run at the most."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_CONTENT_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+(; ?charset=[a-z0-9-]+)?", re.IGNORECASE)


class ArtifactError(CeleriacError, EncodeError):
    """A task's result hands over a file that cannot be kept.

    An EncodeError, because that is what Celery makes a failed run of while it stores a result.
    """

    code = "artifact"


class Artifact(NamedTuple):
    """A named file of a run."""

    name: str
    content_type: str
    data: bytes


def split(result: Any, settings: ResultSettings) -> tuple[Any, list[Artifact]]:
    """Return *result* with each artifact's bytes replaced by its size, and the artifacts.

    A result that does not follow the convention is returned as it is: a task may have an ``artifacts`` of its own.

    Raises:
        ArtifactError: an artifact is too large, they are too many, or one has a name or type that cannot be served.
    """
    handed = result.get("artifacts") if isinstance(result, dict) else None
    if not isinstance(handed, dict) or not handed or not all(_is_artifact(value) for value in handed.values()):
        return result, []
    if len(handed) > MAX_ARTIFACTS:
        raise ArtifactError(f"{len(handed)} artifacts; a run has {MAX_ARTIFACTS} at the most")
    artifacts = [_artifact(name, value, settings.artifact_max_bytes) for name, value in handed.items()]
    described = {a.name: {"content_type": a.content_type, "size": len(a.data)} for a in artifacts}
    return {**result, "artifacts": described}, artifacts


def _is_artifact(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"content_type", "data"}
        and isinstance(value["data"], bytes | bytearray | memoryview)
    )


def _artifact(name: object, value: dict[str, Any], max_bytes: int) -> Artifact:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ArtifactError(f"artifact name {name!r:.150}: use letters, digits, '.', '_' and '-', 128 at the most")
    content_type, data = value["content_type"], bytes(value["data"])
    if not isinstance(content_type, str) or not _CONTENT_TYPE.fullmatch(content_type):
        raise ArtifactError(f"artifact {name!r}: {content_type!r:.150} is no content type such as image/png")
    if len(data) > max_bytes:
        raise ArtifactError(
            f"artifact {name!r} has {len(data)} bytes; CELERIAC_RESULT_ARTIFACT_MAX_BYTES allows {max_bytes}"
        )
    return Artifact(name, content_type, data)


def store(
    client: "redis.Redis | Pipeline", run_id: str, artifacts: Sequence[Artifact], settings: ResultSettings
) -> None:
    """Keep *artifacts* of a run for as long as its result. Storing them again replaces them.

    Store them before the run's final state: what a lost run leaves behind expires by itself.
    """
    if not artifacts:
        return
    key = keys.ARTIFACT + run_id
    fields: dict[Any, Any] = {}
    for artifact in artifacts:
        fields |= {artifact.name: artifact.data, f"{artifact.name}:type": artifact.content_type}
    client.hset(key, mapping=fields)
    client.expire(key, settings.expires_seconds)
