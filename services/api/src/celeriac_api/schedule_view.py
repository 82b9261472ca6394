"""Schedules as the API shows them."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from celeriac.schedule.definition import Definition
from celeriac.schedule.preview import Fire
from celeriac.schedule.spec import moment
from celeriac.schedule.stored import Event, Source, Stored
from celeriac.states import State


class Pause(BaseModel):
    """That a schedule is paused."""

    since: datetime
    reason: str


class Schedule(BaseModel):
    """A schedule and where it stands."""

    id: str = Field(examples=["nightly-report"])
    version: int = Field(description="Counts changes to it; also its ETag. Fires do not change it.")
    source: Source = Field(
        description="'http': made here. 'code': declared in a task package, and changed there only."
    )
    definition: Definition = Field(description="What a PUT takes.")
    created: datetime
    updated: datetime
    paused: Pause | None
    next_fire: datetime | None = Field(description="Null while it is paused, and after its last.")
    held_fire: datetime | None = Field(description="A fire that waits for the end of the run before.")
    last_fire: datetime | None
    last_run: str | None = Field(description="Follow it at /v1/tasks/{id}.")
    fires: int = Field(description="Runs submitted so far.")
    clash: str | None = Field(description="Who declares another schedule of this name in code, which is ignored.")

    @classmethod
    def of(cls, stored: Stored) -> Self:
        """Return the view of *stored*."""
        paused = stored.paused
        return cls(
            id=stored.id,
            version=stored.version,
            source=stored.source,
            definition=stored.definition,
            created=moment(stored.created),
            updated=moment(stored.updated),
            paused=None if paused is None else Pause(since=moment(paused), reason=stored.paused_reason or ""),
            next_fire=None if paused is not None else _moment(stored.next),
            held_fire=_moment(stored.held),
            last_fire=_moment(stored.last_fire),
            last_run=stored.last_run,
            fires=stored.fires,
            clash=stored.clash,
        )


class SchedulePage(BaseModel):
    """Schedules in order of their ids."""

    items: list[Schedule]
    next: str | None = Field(description="Value of `after` for the next page; null on the last one.")


class Coming(BaseModel):
    """A fire to come."""

    at: datetime = Field(description="In UTC, before jitter.")
    local: datetime = Field(description="As clocks in the schedule's zone show it.")
    note: str | None = Field(description="What clocks being put forward or back has to do with it.")

    @classmethod
    def of(cls, fire: Fire) -> Self:
        """Return the view of *fire*."""
        return cls(at=fire.at, local=fire.local, note=fire.note)


class Preview(BaseModel):
    """The next fires, if nothing changes."""

    fires: list[Coming]


class Past(BaseModel):
    """What became of a fire, or of several that were missed together."""

    at: datetime = Field(description="When it was to be, before jitter; of the first one missed.")
    until: datetime | None = Field(description="Of the last one missed.")
    count: int | None = Field(description="How many were missed; at least, where `more` is true.")
    more: bool | None
    decided: datetime
    outcome: Literal["run", "held", "left out", "missed"]
    why: Literal["on time", "made up", "held", "asked for"] | None
    because: str | None
    run: str | None = Field(description="Follow it at /v1/tasks/{id}.")
    state: State | None = Field(description="Of the run, while its record is kept.")

    @classmethod
    def of(cls, event: Event, state: State | None) -> Self:
        """Return the view of *event*, whose run is in *state*."""
        return cls(
            at=moment(event.at),
            until=_moment(event.until),
            count=event.count,
            more=event.more,
            decided=moment(event.decided),
            outcome=event.outcome,
            why=event.why,
            because=event.because,
            run=event.run,
            state=state,
        )


class History(BaseModel):
    """What became of the last fires, newest first."""

    items: list[Past]


class Asked(BaseModel):
    """A run that was asked for."""

    run: str = Field(description="Follow it at /v1/tasks/{id}.")


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else moment(instant)
