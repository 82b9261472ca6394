"""What a schedule is: a task with its arguments, when it fires, and what to do when fires meet trouble."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from celeriac.schedule.rule import Bounded, Rule
from celeriac.schedule.spec import IntervalSpec, Spec, milliseconds

CATCH_UP_MAX = 1000


class Overlap(StrEnum):
    """What a fire does while the schedule's last run is not final yet."""

    ALLOW = "allow"
    """Runs beside it."""
    SKIP = "skip"
    """Is left out."""
    QUEUE_ONE = "queue_one"
    """Waits for its end; of several that wait the first stays."""
    CANCEL_OLD = "cancel_old"
    """Cancels it and waits for its end; of several that wait the newest stays."""


class CatchUp(StrEnum):
    """What happens to fires missed in an outage or a pause."""

    NONE = "none"
    LAST = "last"
    """One run makes up for all, unless a fire is due just then anyway."""
    ALL = "all"
    """Each is made up, oldest first, up to ``catch_up_limit`` newest ones."""


class Definition(BaseModel):
    """A schedule as its owner writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Annotated[str, Field(min_length=1, max_length=255)]
    when: Spec
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    queue: str | None = Field(default=None, description="Unset, the task's own.")
    priority: Annotated[int, Field(ge=0, le=9)] | None = Field(default=None, description="0 goes first.")
    expires_seconds: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="A run not started this long after its fire is dropped."
    )
    start: AwareDatetime | None = Field(default=None, description="No fire before.")
    end: AwareDatetime | None = Field(default=None, description="No fire after.")
    jitter_seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=0, description="Each fire comes up to this much later, so that many do not come at once."
    )
    overlap: Overlap = Overlap.ALLOW
    catch_up: CatchUp = CatchUp.LAST
    catch_up_limit: Annotated[int, Field(ge=1, le=CATCH_UP_MAX)] = 100
    catch_up_window_seconds: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Fires missed longer ago than this are not made up; unset, all may be."
    )
    description: Annotated[str, Field(max_length=1000)] = ""

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if start and end and end < start:
            raise ValueError("lies before start; no fire would ever come")
        return end

    @field_validator("jitter_seconds")
    @classmethod
    def _below_interval(cls, jitter: float, info: ValidationInfo) -> float:
        when = info.data.get("when")
        if isinstance(when, IntervalSpec) and jitter >= when.every_seconds:
            raise ValueError("must be shorter than when.every_seconds, or fires would overtake each other")
        return jitter

    def settled(self, now: int, timezone: str) -> Self:
        """Return the definition with nothing left to the moment (*now*, ms) or the default *timezone*."""
        return self.model_copy(update={"when": self.when.settled(now, timezone)})

    def rule(self) -> Rule:
        """Return the function that says when. The definition must be settled."""
        rule = self.when.rule()
        if self.start is None and self.end is None:
            return rule
        return Bounded(
            rule, milliseconds(self.start) if self.start else None, milliseconds(self.end) if self.end else None
        )
