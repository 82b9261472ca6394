"""A run as the API shows it, read in one round trip."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

import redis.asyncio
import structlog
from pydantic import BaseModel, ConfigDict, Field

from celeriac import keys
from celeriac.record import Record
from celeriac.states import FINAL, State
from celeriac_api.json_response import load_result

logger = structlog.get_logger(__name__)

_FIELDS = [name for name in Record.model_fields if name != "id"]
_STOCK_STATES = {"SUCCESS": State.SUCCEEDED, "FAILURE": State.FAILED, "REVOKED": State.CANCELLED}


class RunError(BaseModel):
    """Why a run failed, as text: the API has no task code to rebuild an exception with."""

    type: str = Field(examples=["ValueError"])
    message: str = Field(examples=["no orders in 2027"])
    traceback: str | None = None


class Run(BaseModel):
    """What the platform knows of a run. Times are in UTC."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5f0c7a52-8f0e-4f6e-9a3b-0d6f3f0a1c11",
                    "name": "cookbook.tasks.report",
                    "state": "succeeded",
                    "queue": "default",
                    "priority": 3,
                    "deliveries": 1,
                    "retries": 0,
                    "created": "2026-11-22T10:00:00.120000Z",
                    "started": "2026-11-22T10:00:00.131000Z",
                    "finished": "2026-11-22T10:00:02.480000Z",
                    "result": {"orders": 50000, "artifacts": {"chart.png": {"content_type": "image/png", "size": 9}}},
                }
            ]
        }
    )

    id: str
    name: str = Field(description="The task.")
    state: State
    queue: str
    priority: int
    created: datetime
    due: datetime | None = Field(default=None, description="When a delayed run is to start.")
    expires: datetime | None = None
    started: datetime | None = Field(default=None, description="When the latest attempt began.")
    finished: datetime | None = None
    cancel_requested: datetime | None = Field(
        default=None, description="When its cancellation was asked for; it has stopped only when the state says so."
    )
    deliveries: int = Field(description="Times it was handed to a worker.")
    retries: int = Field(description="Times the task asked to run again.")
    worker: str | None = Field(default=None, description="Worker that has it, or had it last.")
    progress: Any = Field(default=None, description="What the task last reported by update_state(meta=…).")
    progress_state: str | None = Field(
        default=None, description="And the state it gave there.", examples=["PROGRESS"]
    )
    result: Any = Field(default=None, description="What the task returned; null until it has succeeded.")
    error: RunError | None = None
    reason: str | None = Field(default=None, description="Why it is in this state, when that needs a word.")
    parent: str | None = None
    root: str | None = None
    group: str | None = None
    request_id: str | None = Field(default=None, description="X-Request-ID of the request that submitted it.")

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL

    @classmethod
    def of(cls, record: Record, result: bytes | None) -> Self:
        """Return the view of a record and of what lies under the run's result key."""
        values: dict[str, Any] = record.model_dump(exclude={"task", "list", "cancel", "error"})
        for name in ("created", "due", "expires", "started", "finished"):
            values[name] = _time(getattr(record, name))
        values |= {"name": record.task, "cancel_requested": _time(record.cancel), "error": _error(record.error)}
        if record.progress is not None:
            values |= {"progress": record.progress["meta"], "progress_state": record.progress["state"]}
        stored = _stored(record.id, result)
        # A stock worker, which knows no records, took it: its own result is all there is.
        if record.state not in FINAL and record.deliveries == 0 and stored.get("status") in _STOCK_STATES:
            values |= {"state": _STOCK_STATES[stored["status"]], "finished": stored.get("date_done")}
            values["error"] = _stock_error(stored)
        if values["state"] is State.SUCCEEDED:
            values["result"] = stored.get("result")
        return cls.model_validate(values)


def _stored(id: str, result: bytes | None) -> dict[str, Any]:
    """Return what stock Celery's result key says; nothing if it is not there, or another program wrote it."""
    try:
        stored = load_result(result) if result else {}
    except ValueError as error:
        logger.warning("a stored result cannot be read", task_id=id, error=str(error))
        return {}
    return stored if isinstance(stored, dict) else {}


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _error(error: Mapping[str, Any] | None) -> RunError | None:
    return None if error is None else RunError.model_validate(error)


def _stock_error(stored: Mapping[str, Any]) -> RunError | None:
    failure = stored.get("result")
    if stored["status"] == "SUCCESS" or not isinstance(failure, dict):
        return None
    message = failure.get("exc_message")
    text = ", ".join(str(part) for part in message) if isinstance(message, list) else str(message)
    return RunError(type=str(failure.get("exc_type")), message=text, traceback=stored.get("traceback"))


async def read_run(client: redis.asyncio.Redis, id: str) -> Run | None:
    """Return the run *id*; None if nobody submitted it, or it was long enough ago."""
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.hmget(keys.RUN + id, _FIELDS)
        pipeline.get(keys.RESULT + id)
        values, result = await pipeline.execute()
    fields = {name.encode(): value for name, value in zip(_FIELDS, values, strict=True) if value is not None}
    record = Record.read(id, fields)
    return None if record is None else Run.of(record, result)


def channels(id: str) -> tuple[str, str]:
    """Return the channels that say when the run *id* changed: ours, and that of a stock worker's result."""
    return keys.RUN + id, keys.RESULT + id
