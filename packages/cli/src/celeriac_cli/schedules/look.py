"""``celeriac schedules list``, ``show``, ``history`` and ``preview``."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from celeriac_cli.api import Api, Url
from celeriac_cli.console import err, out, show_json
from celeriac_cli.schedules.path import AsJson, Id, path
from celeriac_cli.schedules.words import standing, times

_PAGE: Final = 500


def every(client: Api) -> Iterator[dict[str, Any]]:
    """Yield all schedules in order of their ids."""
    after: dict[str, str] = {}
    while True:
        page = client.get("/v1/schedules", limit=_PAGE, **after)
        yield from page["items"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def list_(as_json: AsJson = False, api: Url = None) -> None:
    """List all schedules: as a table, or, into a pipe, one a line with tabs between."""
    with Api(api) as client:
        found = list(every(client))
    if as_json:
        show_json(found)
        return
    rows = [
        (
            schedule["id"],
            schedule["definition"]["task"],
            times(schedule["definition"]["when"]),
            standing(schedule),
            str(schedule["fires"]),
            f"{schedule['source']}{' (clash)' if schedule['clash'] else ''}",
        )
        for schedule in found
    ]
    _print(("id", "task", "when", "next fire", "fires", "source"), rows, "no schedules")


def show(id: Id, api: Url = None) -> None:
    """Show a schedule in full, as JSON. What stands under `definition` is what `set --file` takes."""
    with Api(api) as client:
        show_json(client.get(path(id)))


def history(id: Id, as_json: AsJson = False, api: Url = None) -> None:
    """Show what became of the last fires, the newest first."""
    with Api(api) as client:
        events = client.get(path(id, "history"))["items"]
    if as_json:
        show_json(events)
        return
    rows = [
        (
            event["at"],
            _outcome(event),
            event["why"] or "-",
            event["run"] or "-",
            event["state"] or "-",
            event["because"] or "-",
        )
        for event in events
    ]
    _print(("fire", "outcome", "why", "run", "state", "because"), rows, "it has not fired yet")


def _outcome(event: dict[str, Any]) -> str:
    if event["outcome"] != "missed":
        return str(event["outcome"])
    return f"missed {event['count']}{' or more' if event['more'] else ''} until {event['until']}"


def preview(
    id: Id,
    count: Annotated[int, typer.Option(help="Fires to show.", min=1, max=100)] = 10,
    as_json: AsJson = False,
    api: Url = None,
) -> None:
    """Show the next fires, with a word wherever clocks are put forward or back."""
    with Api(api) as client:
        fires = client.get(path(id, "preview"), count=count)["fires"]
    if as_json:
        show_json(fires)
        return
    rows = [(fire["at"], fire["local"], fire["note"] or "-") for fire in fires]
    _print(("at", "local", "note"), rows, "no fire is to come")


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    if not rows:
        err.print(nothing)
    elif not out.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
    else:
        table = Table(*columns, box=None, header_style="bold")
        for row in rows:
            table.add_row(*map(escape, row))
        out.print(table)
