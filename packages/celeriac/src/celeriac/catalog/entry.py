"""What the catalogue says of one task."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Schema = dict[str, Any]


class Entry(BaseModel):
    """A task that can be submitted. This is what Redis holds and what the API shows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(description="Name to submit it by.", examples=["cookbook.tasks.report"])
    description: str = Field(default="", description="The task's docstring.")
    queue: str = Field(description="Queue it goes to when a submission names none.", examples=["default"])
    priority: int | None = Field(
        default=None, description="Its own priority, for a submission that names none. 0 goes first."
    )
    arguments: Schema = Field(
        description="JSON Schema (2020-12) of all arguments as one object, keyed by parameter name."
    )
    positional: list[str] = Field(default=[], description="Parameters that may be given by position, in order.")
    positional_only: list[str] = Field(default=[], description="Those of them that cannot be given by name.")
    rest: Schema | None = Field(
        default=None, description="JSON Schema of each further positional argument (*args); null if none is taken."
    )
    values: dict[str, str] = Field(
        default={},
        description="Parameters that the task receives as a Python value of this type rather than as JSON text: "
        "datetime, date, time, decimal or uuid.",
    )
    options: dict[str, Any] = Field(
        default={}, description="Options of the task: time limits in seconds, retries, rate limit."
    )
