"""``celeriac schedules set``: make a schedule, or replace its definition."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from celeriac_cli.api import Api, Url
from celeriac_cli.arguments import named
from celeriac_cli.console import err
from celeriac_cli.schedules.path import Id, Version, if_match, path
from celeriac_cli.schedules.words import standing, times


def set_(
    id: Id,
    task: Annotated[str | None, typer.Argument(help="Task to run, as `celeriac catalog` lists it.")] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="Arguments; a value that is JSON is read as such."),
    ] = None,
    every: Annotated[float | None, typer.Option(help="Every so many seconds.", show_default=False)] = None,
    cron: Annotated[
        str | None, typer.Option(help="Cron text: '30 2 * * 1-5', or @daily.", show_default=False)
    ] = None,
    at: Annotated[str | None, typer.Option(help="Once, at this time (ISO 8601).", show_default=False)] = None,
    when: Annotated[
        str | None, typer.Option(help='Any kind, as JSON: \'{"kind": "solar", …}\'.', show_default=False)
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA zone of --cron or --at.", show_default=False)] = None,
    overlap: Annotated[
        str | None, typer.Option(help="allow, skip, queue_one or cancel_old.", show_default=False)
    ] = None,
    catch_up: Annotated[str | None, typer.Option(help="none, last or all.", show_default=False)] = None,
    jitter: Annotated[float | None, typer.Option(help="Seconds.", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option(show_default=False)] = None,
    priority: Annotated[int | None, typer.Option(min=0, max=9, show_default=False)] = None,
    description: Annotated[str | None, typer.Option(show_default=False)] = None,
    file: Annotated[
        str | None,
        typer.Option(help="A definition as JSON, '-' for stdin; the other options change it.", show_default=False),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Only if there is none of this id.")] = False,
    version: Version = None,
    api: Url = None,
) -> None:
    """Make a schedule, or replace its definition; what is wrong is told field by field."""
    fields = {
        "task": task,
        "kwargs": named(arguments) if arguments else None,
        "when": _when(every, cron, at, when, timezone),
        "overlap": overlap,
        "catch_up": catch_up,
        "jitter_seconds": jitter,
        "queue": queue,
        "priority": priority,
        "description": description,
    }
    body = _read(file) | {name: value for name, value in fields.items() if value is not None}
    headers = {"If-None-Match": "*"} if new else if_match(version)
    with Api(api) as client:
        schedule = client.send("PUT", path(id), json=body, headers=headers)
    err.print(f"{id}: {times(schedule['definition']['when'])}; next fire: {standing(schedule)}", markup=False)


def _when(
    every: float | None, cron: str | None, at: str | None, when: str | None, timezone: str | None
) -> dict[str, Any] | None:
    given: list[dict[str, Any]] = []
    if every is not None:
        given.append({"kind": "interval", "every_seconds": every})
    if cron is not None:
        given.append({"kind": "cron", "cron": cron})
    if at is not None:
        given.append({"kind": "once", "at": at})
    if when is not None:
        given.append(_object(when, "--when"))
    if len(given) > 1:
        raise typer.BadParameter("give one of --every, --cron, --at and --when")
    if timezone is None:
        return given[0] if given else None
    if not given or every is not None:
        raise typer.BadParameter("--timezone goes with --cron, --at or --when")
    return given[0] | {"timezone": timezone}


def _read(file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return _object(sys.stdin.read() if file == "-" else Path(file).read_text(), file)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{where} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{where} is no JSON object")
    return value
