"""Settings of the processes: API, workers, scheduler, logs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from celeriac.schedule import zone
from celeriac.settings.task import split

Port = Annotated[int, Field(ge=0, le=65_535)]


class ApiSettings(BaseModel):
    """``CELERIAC_API_*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Port = Field(default=8000, description="Port to listen on; 0 takes a free one.")
    url: str = Field(default="http://127.0.0.1:8000", description="Where the celeriac command finds the API.")
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=1_048_576, description="Largest request body; a larger one is 413."
    )
    body_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        default=30, description="Seconds a body may stop coming in; then it is 408."
    )
    deadline_seconds: Annotated[float, Field(gt=0, le=30)] = Field(
        default=1.5, description="Seconds a request waits for Redis before it answers 503."
    )
    max_wait_seconds: Annotated[float, Field(gt=0, le=300)] = Field(
        default=60, description="Longest ?wait= of a long poll."
    )
    max_waiters: Annotated[int, Field(ge=1)] = Field(
        default=10_000, description="Long polls that may wait at a time; more are answered 503."
    )
    shutdown_delay_seconds: Annotated[float, Field(ge=0, le=300)] = Field(
        default=0, description="Seconds after SIGTERM for which the API goes on, not ready, until proxies notice."
    )
    shutdown_grace_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        default=10, description="Seconds that running requests then have to end."
    )


class WorkerSettings(BaseModel):
    """``CELERIAC_WORKER_*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str = Field(default="default", description="Worker group this process belongs to.")
    queues: Annotated[list[str], NoDecode] = Field(
        default=[], description="Comma-separated queues to consume; unset, the queue named like the group."
    )
    pool: Literal["prefork", "threads", "solo", "gevent", "asyncio"] = Field(
        default="prefork", description="How runs share the process."
    )
    concurrency: Annotated[int, Field(ge=1, le=100_000)] = Field(default=2, description="Runs at a time.")
    sync_threads: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=32, description="Threads in which the asyncio pool runs tasks that are not async def."
    )
    prefetch_multiplier: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=4, description="Messages held per slot, so that a slot never waits for Redis."
    )
    max_tasks_per_child: Annotated[int, Field(ge=0)] = Field(
        default=1000, description="Runs after which a prefork child is replaced; 0 for never."
    )
    max_memory_per_child_kib: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Peak KiB after which a prefork child is replaced; 0 for never."
    )
    autoscale_min: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Processes kept when idle, growing to the concurrency under load; 0 for no scaling."
    )
    rate_limits: bool = Field(default=True, description="Honour the rate limits of tasks. They count per worker.")
    events: bool = Field(default=True, description="Publish events, which Flower and event monitors need.")
    host: str = Field(default="127.0.0.1", description="Address of the health and metrics server.")
    port: Port = Field(default=0, description="Its port; 0 takes a free one.")
    drain_seconds: Annotated[float, Field(ge=0)] = Field(
        default=20, description="Seconds running work may go on after SIGTERM before it is given back."
    )
    tick_seconds: Annotated[float, Field(gt=1)] = Field(
        default=30, description="Seconds the main loop may be silent before /healthz calls it blocked."
    )
    reconnect_seconds: Annotated[float, Field(gt=1)] = Field(
        default=180,
        description="Seconds a worker may look for Redis before /healthz gives it up; above any failover.",
    )

    _split = field_validator("queues", mode="before")(split)


class SchedulerSettings(BaseModel):
    """``CELERIAC_SCHEDULER_*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Literal["redis", "database"] = Field(default="redis", description="Where schedules are kept.")
    lease_seconds: Annotated[float, Field(ge=1, le=60)] = Field(
        default=8, description="Seconds the leader leads without renewing; a standby takes over after it."
    )
    pod_deletion_cost: bool = Field(
        default=False, description="Mark busy workers' pods, so that Kubernetes removes idle ones first."
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="With backend 'database': SQLAlchemy URL of the schedules, such as "
        "postgresql+psycopg://user:password@host/db.",
    )
    timezone: str = Field(default="UTC", description="IANA zone of schedules that name none.")
    host: str = Field(default="127.0.0.1", description="Address of the health and metrics server.")
    port: Port = Field(default=0, description="Its port; 0 takes a free one.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zone.zone(name)
        return name


class LogSettings(BaseModel):
    """``CELERIAC_LOG_*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="'auto' is console on a terminal and JSON elsewhere."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Lowest level shown.")
    arguments: bool = Field(default=False, description="Show arguments and results of runs in clear.")
