"""The record of a run: which fields it has, and reading one.

Only the Lua scripts write records, so that record and message always move together.
"""

import json
from collections.abc import Mapping
from typing import Any, Self

import redis.asyncio
from pydantic import BaseModel, ConfigDict

from celeriac import keys
from celeriac.states import State

TIMES = frozenset({"created", "due", "expires", "started", "finished", "cancel", "fire"})
"""Milliseconds since the epoch in Redis, by Redis' clock."""
DOCUMENTS = frozenset({"error", "progress"})
"""JSON in Redis."""


class Record(BaseModel):
    """What the platform knows of a run. Times are seconds since the epoch."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    task: str
    state: State
    queue: str
    priority: int
    list: str | None = None
    """Queue list its message goes to."""
    created: float
    due: float | None = None
    expires: float | None = None
    started: float | None = None
    finished: float | None = None
    deliveries: int = 0
    """Times it was handed to a worker."""
    retries: int = 0
    owner: str | None = None
    """Lease under which a worker holds it, ``<group>/<owner>``; None while nobody does."""
    worker: str | None = None
    """Worker that has it, or had it last."""
    error: dict[str, Any] | None = None
    """``type``, ``message`` and ``traceback`` of the last failure."""
    progress: Any = None
    """What the task last said by ``update_state``: its ``state`` and ``meta``."""
    reason: str | None = None
    """Why it is where it is, when that needs a word: why it died, who cancelled it."""
    cancel: float | None = None
    """When its cancellation was requested."""
    cancel_hard: bool = False
    """Whether it was asked to be terminated rather than to stop."""
    parent: str | None = None
    root: str | None = None
    group: str | None = None
    request_id: str | None = None
    schedule: str | None = None
    """Schedule that submitted it."""
    fire: float | None = None
    """Nominal time of the schedule's fire."""

    @classmethod
    def read(cls, id: str, fields: Mapping[Any, Any]) -> Self | None:
        """Return the record that ``HGETALL`` gave as *fields*; None when there is none."""
        if b"state" not in fields:
            return None
        values: dict[str, Any] = {"id": id}
        for raw, value in fields.items():
            name = raw.decode()
            if name in TIMES:
                values[name] = int(value) / 1000
            elif name in DOCUMENTS:
                values[name] = json.loads(value)
            elif name in cls.model_fields:
                values[name] = value.decode()
        return cls.model_validate(values)


async def is_unknown(client: redis.asyncio.Redis, id: str) -> bool:
    """Tell whether there is truly no run *id*, after a read has found none.

    A master that another has replaced, and that has not heard of it, still reads, without the newest runs. It takes
    no write any more: its writes are held or lack a replica, or it follows by now. So a write that changes nothing
    tells it apart.

    Raises:
        redis.RedisError: this server is no master, or cannot say now.
    """
    async with client.pipeline(transaction=True) as pipe:
        pipe.hdel(keys.RUN + id, "")
        pipe.exists(keys.RUN + id)
        _, found = await pipe.execute()
    return not found
