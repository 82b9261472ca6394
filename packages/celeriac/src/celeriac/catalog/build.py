"""Describing a Celery app's tasks for the catalogue."""

import inspect
from typing import Any

from celery import Celery, Task
from celery.exceptions import QueueNotFound

from celeriac.catalog.entry import Entry, Schema
from celeriac.catalog.signature import parameters, schemas, value_type, with_default
from celeriac.errors import ConfigurationError

OPTIONS = (
    "time_limit",
    "soft_time_limit",
    "max_retries",
    "default_retry_delay",
    "rate_limit",
    "acks_late",
    "ignore_result",
)
"""Task attributes that a submitter may want to know."""

MAX_ENTRY_BYTES = 262_144
_BUILT_IN = ("celery.", "celeriac.")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def entries(app: Celery) -> list[Entry]:
    """Return an entry for each task of *app*, by name. Celery's own (``celery.*``) and ours cannot be submitted.

    Raises:
        ConfigurationError: a task is routed to a queue that does not exist, or its description is too large.
    """
    app.finalize(auto=True)
    return [entry(app, app.tasks[name]) for name in sorted(app.tasks) if not name.startswith(_BUILT_IN)]


def entry(app: Celery, task: "Task[..., Any]") -> Entry:
    """Return the entry of one task."""
    found = parameters(task.run)
    queue, priority = _destination(app, task)
    names = [parameter.name for parameter, _ in found if parameter.kind in _POSITIONAL]
    arguments, rest = _arguments(task.name, found)
    result = Entry(
        name=task.name,
        description=inspect.getdoc(inspect.unwrap(task.run)) or "",
        queue=queue,
        priority=priority,
        arguments=arguments,
        positional=names,
        positional_only=[p.name for p, _ in found if p.kind is p.POSITIONAL_ONLY],
        rest=rest,
        values={
            parameter.name: kind
            for parameter, hint in found
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) and (kind := value_type(hint))
        },
        options={name: value for name in OPTIONS if (value := getattr(task, name, None)) is not None},
    )
    if len(result.model_dump_json()) > MAX_ENTRY_BYTES:
        raise ConfigurationError(
            f"task {task.name}: its catalogue entry is over {MAX_ENTRY_BYTES} bytes; shorten its models or docstring"
        )
    return result


def _arguments(name: str, found: list[tuple[inspect.Parameter, Any]]) -> tuple[Schema, Schema | None]:
    """Return the schema of the arguments as an object, and that of ``*args`` (None without)."""
    described, shared = schemas({parameter.name: hint for parameter, hint in found})
    properties: dict[str, Schema] = {}
    required: list[str] = []
    further: Schema | bool = False
    rest: Schema | None = None
    for parameter, _ in found:
        schema = described[parameter.name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            rest = {**schema, "$defs": shared} if shared and schema else schema
        elif parameter.kind is parameter.VAR_KEYWORD:
            further = schema or True
        else:
            properties[parameter.name] = with_default(schema, parameter)
            if parameter.default is parameter.empty:
                required.append(parameter.name)
    arguments: Schema = {
        "$schema": _DIALECT,
        "title": name,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": further,
    }
    return ({**arguments, "$defs": shared} if shared else arguments), rest


def _destination(app: Celery, task: "Task[..., Any]") -> tuple[str, int | None]:
    """Return the queue and priority that Celery's router gives *task* when the caller names none."""
    queue = getattr(task, "queue", None)
    itself: Any = task  # what Celery passes to routers, though its stubs say a class
    try:
        route = app.amqp.router.route({"queue": queue} if queue else {}, task.name, (), {}, task_type=itself)
    except QueueNotFound as error:
        raise ConfigurationError(
            f"task {task.name} goes to a queue that does not exist ({error}): add it to CELERIAC_TASK_QUEUES"
        ) from error
    priority = getattr(task, "priority", None)
    return route["queue"].name, route.get("priority") if priority is None else priority
