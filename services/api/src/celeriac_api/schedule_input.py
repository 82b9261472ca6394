"""What a caller sends to make a schedule, and the checks that need the catalogue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple

from fastapi import Body, Header
from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from celeriac.catalog.arguments import Arguments
from celeriac.errors import Fault, InvalidError, UnknownTaskError
from celeriac.schedule.change import name_fault
from celeriac.schedule.definition import CatchUp, Definition
from celeriac.schedule.fault import WHEN, InvalidScheduleError, fault, read
from celeriac.schedule.firing import Target
from celeriac_api.problem import ParameterError
from celeriac_api.resources import Resources

EXAMPLE: Final[dict[str, Any]] = {
    "id": "nightly-report",
    "task": "cookbook.tasks.report",
    "kwargs": {"year": 2026},
    "when": dict(WHEN["cron"]),
    "overlap": "skip",
}


class NewSchedule(Definition):
    """A schedule with the name it is to have."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: Annotated[str, Field(min_length=1, max_length=200, description="Its name. No slash.")]


@dataclass(frozen=True)
class Named:
    """A definition and its name."""

    id: str
    definition: Definition


def _read_new(data: object) -> Named:
    if not isinstance(data, Mapping):
        return Named("", read(data))  # which says what is wrong
    id = data.get("id")
    faults = [found] if (found := name_fault(id if isinstance(id, str) else "")) else []
    try:
        definition = read({name: value for name, value in data.items() if name != "id"})
    except InvalidScheduleError as error:
        raise InvalidScheduleError.of([*faults, *error.faults]) from error
    if faults:
        raise InvalidScheduleError.of(faults)
    return Named(str(id), definition)


# These raise InvalidScheduleError, which pydantic lets pass and the API answers with every field's fault.
NewBody = Annotated[Named, PlainValidator(_read_new, json_schema_input_type=NewSchedule), Body()]
DefinitionBody = Annotated[Definition, PlainValidator(read, json_schema_input_type=Definition), Body()]


class PauseRequest(BaseModel):
    """Why a schedule is paused."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["The printer is being repaired"])]


class ResumeRequest(BaseModel):
    """How a paused schedule goes on."""

    model_config = ConfigDict(extra="forbid")

    catch_up: CatchUp | None = Field(
        default=None, description="'none' leaves out what the pause missed; unset, the schedule's own policy decides."
    )


IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag of the version that is changed; 412 if it is another.")
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="'*': only make it; 412 if it exists already.")
]


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def version_of(header: str | None) -> int | None:
    """Return the version that If-Match names, None when any will do.

    Raises:
        ParameterError: it names none.
    """
    if header is None or header.strip() == "*":
        return None
    text = header.strip()
    if not (len(text) > 2 and text[0] == text[-1] == '"' and text[1:-1].isascii() and text[1:-1].isdigit()):
        raise ParameterError('is the ETag of one version, such as "3", or *', "If-Match", "header")
    return int(text[1:-1])


class Checked(NamedTuple):
    """What the catalogue says of a schedule."""

    arguments: tuple[list[Any], dict[str, Any]]
    """As the task is to receive them."""
    target: Target


async def check(api: Resources, definition: Definition) -> Checked:
    """Check *definition* against the catalogue and the queues there are.

    Raises:
        InvalidScheduleError: no such task or queue, or its arguments are wrong.
    """
    try:
        task = await api.catalog.arguments(definition.task)
    except UnknownTaskError as error:
        near = f"; did you mean {' or '.join(error.near)}?" if error.near else ""
        raise InvalidScheduleError.of([fault("/task", f"no worker offers {definition.task!r:.100}{near}")]) from error
    queues = api.settings.task.queues
    queue = definition.queue or task.entry.queue
    if queue not in queues:
        problem = fault("/queue", f"{queue!r:.100} is no queue; the queues are {', '.join(queues)}")
        raise InvalidScheduleError.of([problem])
    try:
        arguments = task.bind(definition.args, definition.kwargs)
    except InvalidError as error:
        raise InvalidScheduleError.of([_with_example(problem, task) for problem in error.faults]) from error
    priority = api.settings.task.default_priority if task.entry.priority is None else task.entry.priority
    return Checked(arguments, Target(task.entry.queue, priority))


def _with_example(problem: Fault, task: Arguments) -> Fault:
    properties = task.entry.arguments.get("properties", {})
    required = task.entry.arguments.get("required", [])
    example = {name: _sample(properties.get(name, {})) for name in required}
    return Fault(problem.path, f'{problem.message}; right would be, for example, "kwargs": {json.dumps(example)}')


_SAMPLES: Mapping[str, Any] = {
    "integer": 1, "number": 1.5, "string": "text", "boolean": True, "array": [], "object": {}, "null": None,
}  # fmt: skip


def _sample(schema: Mapping[str, Any]) -> Any:
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    if schema.get("format") == "date-time":
        return "2026-12-24T18:00:00+01:00"
    for branch in schema.get("anyOf", []):
        return _sample(branch)
    kind = schema.get("type", "string")
    return _SAMPLES[kind if isinstance(kind, str) else kind[0]]
