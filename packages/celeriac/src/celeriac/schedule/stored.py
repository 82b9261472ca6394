"""A schedule as Redis keeps it: the definition, where it stands, and what became of its last fires."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Self

import structlog
from pydantic import BaseModel, ConfigDict

from celeriac.errors import ConflictError
from celeriac.schedule.definition import Definition

log = structlog.get_logger(__name__)

Source = Literal["http", "code"]


class UnreadableError(ConflictError):
    """What is stored as this schedule is none that this release knows."""

    code = "unreadable"

    def __init__(self, id: str, error: ValueError) -> None:
        super().__init__(f"The schedule {id!r} cannot be read by this release; delete it: {error}")


class Stored(BaseModel):
    """One schedule. Times are milliseconds since the epoch, by Redis' clock."""

    model_config = ConfigDict(frozen=True)

    id: str
    definition: Definition
    version: int
    """Counts the changes people made; fires do not change it."""
    source: Source
    created: int
    updated: int
    next: int | None = None
    """Nominal time of the next fire. None when there is none; kept through a pause."""
    paused: int | None = None
    """Since when."""
    paused_reason: str | None = None
    held: int | None = None
    """Nominal time of a fire that waits for the end of the run before."""
    last_run: str | None = None
    last_fire: int | None = None
    fires: int = 0
    """Runs submitted so far."""
    clash: str | None = None
    """Who declares a schedule of this name in code, which this one keeps from existing."""

    @classmethod
    def read(cls, id: str, fields: Mapping[Any, Any]) -> Self | None:
        """Return the schedule that ``HGETALL`` gave as *fields*; None when there is none.

        Raises:
            UnreadableError: another release wrote it.
        """
        if b"definition" not in fields:
            return None
        values: dict[str, Any] = {name.decode(): value.decode() for name, value in fields.items()}
        try:
            values["definition"] = json.loads(values["definition"])
            return cls.model_validate({"id": id, **values})
        except ValueError as error:
            raise UnreadableError(id, error) from error


def readable(found: Iterable[tuple[str, Mapping[Any, Any]]]) -> Iterator[Stored]:
    """Yield the schedules of *found*, ids with their hashes, less those that are gone or cannot be read."""
    for id, fields in found:
        try:
            stored = Stored.read(id, fields)
        except UnreadableError as error:
            log.warning("schedule left out", schedule=id, error=str(error))
            continue
        if stored:
            yield stored


class Event(BaseModel):
    """What became of one fire, or of several that were missed together."""

    model_config = ConfigDict(frozen=True)

    at: int
    """Nominal time of the fire, or of the first one missed."""
    decided: int
    outcome: Literal["run", "held", "left out", "missed"]
    why: Literal["on time", "made up", "held", "asked for"] | None = None
    run: str | None = None
    because: str | None = None
    until: int | None = None
    """Nominal time of the last one missed."""
    count: int | None = None
    """How many were missed; *more* if that is not all."""
    more: bool | None = None
