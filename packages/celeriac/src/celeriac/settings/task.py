"""Task packages, queues and the limits every run starts with; how runs are delivered; how results are kept."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode


def split(value: object) -> object:
    """Read ``a,b`` as a list, so that nobody has to write JSON in an environment variable."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def regular_expression(pattern: str) -> str | None:
    """Return what stands between the slashes of ``/…/``; None for a name or glob."""
    return pattern[1:-1] if len(pattern) > 2 and pattern[0] == pattern[-1] == "/" else None


class TaskSettings(BaseModel):
    """``CELERIAC_TASK_*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    packages: Annotated[list[str], NoDecode] = Field(
        default=[], description="Comma-separated modules whose import registers tasks."
    )
    entry_points: bool = Field(
        default=True, description="Also load what installed packages offer as entry point 'celeriac.tasks'."
    )
    queues: Annotated[list[str], NoDecode] = Field(
        default=["default", "io"], description="Comma-separated queues that exist. Others are refused."
    )
    default_queue: str = Field(default="default", description="Queue of a task that names none.")
    default_priority: Annotated[int, Field(ge=0, le=9)] = Field(
        default=3, description="Priority of a run that names none: 0 goes first, 9 last."
    )
    time_limit: Annotated[float, Field(gt=0)] = Field(
        default=1800, description="Seconds after which a run is killed."
    )
    soft_time_limit: Annotated[float, Field(gt=0)] = Field(
        default=1500, description="Seconds after which a run is asked to stop (SoftTimeLimitExceeded)."
    )

    serializer: Literal["json"] = Field(
        default="json", description="JSON alone: with pickle, whoever can write to Redis runs code on the workers."
    )
    track_started: bool = Field(default=True, description="Tell running runs from queued ones.")
    acks_late: bool = Field(
        default=True, description="Acknowledge a run when it has ended; false: when it starts, so a crash loses it."
    )
    reject_on_worker_lost: bool = Field(
        default=True, description="Give a run back when its process died; after max_deliveries it is a dead letter."
    )
    routes: dict[str, str] = Field(
        default={},
        description="JSON object: task name, glob or /regular expression/ (matched from the start) to queue. "
        "Asked before what task packages say.",
    )
    routers: Annotated[list[str], NoDecode] = Field(
        default=[], description="Comma-separated router functions as module:function, asked after the routes."
    )

    _split = field_validator("packages", "queues", "routers", mode="before")(split)

    @field_validator("routers")
    @classmethod
    def _importable(cls, routers: list[str]) -> list[str]:
        for router in routers:
            module, _, function = router.partition(":")
            if not (module and function.isidentifier()):
                raise ValueError(f"{router!r} is no module:function")
        return routers

    @field_validator("routes")
    @classmethod
    def _expressions(cls, routes: dict[str, str]) -> dict[str, str]:
        for pattern in routes:
            if expression := regular_expression(pattern):
                try:
                    re.compile(expression)
                except re.error as error:
                    raise ValueError(f"{pattern} is no regular expression: {error}") from error
        return routes


class DeliverySettings(BaseModel):
    """``CELERIAC_DELIVERY_*``: what keeps a run from being lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=30, description="Seconds for which a worker owns what it took, renewed while it lives."
    )
    max_deliveries: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=5, description="Hand-outs of one run after which it is a dead letter."
    )
    durability: Literal["local", "replicated"] = Field(
        default="local", description="'replicated' accepts a run only when a replica has it (WAIT)."
    )
    replication_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = Field(
        default=1, description="Seconds a replica has to confirm a submission under 'replicated'; then 503."
    )
    delay_threshold_seconds: Annotated[float, Field(ge=0, le=60)] = Field(
        default=2, description="Delays over this wait in Redis rather than in a worker."
    )
    dead_letter_limit: Annotated[int, Field(ge=1)] = Field(
        default=10_000, description="Dead letters kept at the most; the oldest go first."
    )
    dead_letter_seconds: Annotated[int, Field(ge=60)] = Field(
        default=2_592_000, description="Seconds a dead letter is kept at the most: 30 days."
    )


class ResultSettings(BaseModel):
    """``CELERIAC_RESULT_*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: str | None = Field(
        default=None,
        description="Celery result backend URL; unset, results lie in the same Redis as the runs.",
    )
    expires_seconds: Annotated[int, Field(ge=1)] = Field(
        default=86_400, description="Seconds a result and its run's record are kept after the end."
    )
    prefix: str = Field(
        default="", description="Put before the names of results in a Redis of their own, followed by _."
    )
    compression: Literal["none", "gzip", "bzip2"] = Field(
        default="none", description="How results are packed in a Redis backend."
    )
    extended: bool = Field(
        default=False,
        description="Store name, arguments, worker and queue beside each result, for Flower and stock clients. "
        "Arguments then lie in Redis in clear.",
    )
    persistent: bool = Field(
        default=False, description="With an rpc:// backend: results outlive a restart of the broker."
    )
    max_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=262_144, description="Largest encoded result; a larger one is a failure that says so."
    )
    history_limit: Annotated[int, Field(ge=1)] = Field(
        default=10_000, description="Finished runs kept per task name at the most."
    )
    artifact_max_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=8_388_608, description="Largest artifact of a run."
    )
