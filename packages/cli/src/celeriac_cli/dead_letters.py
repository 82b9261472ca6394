"""``celeriac dead-letters``: look at what will not be delivered again, replay it, or remove it."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from celeriac_cli.api import Api, Url
from celeriac_cli.arguments import named
from celeriac_cli.console import err, out, show_json

app: Final = typer.Typer(no_args_is_help=True, help="Dead letters: list, show, replay, delete, purge.")

_PAGE: Final = 500
_COLUMNS: Final = ("died", "id", "name", "reason", "deliveries", "queue", "error")

Id = Annotated[str, typer.Argument(help="Id of the dead letter, which is that of its run.")]
Task = Annotated[str | None, typer.Option(help="Only of this task.", show_default=False)]
Queue = Annotated[str | None, typer.Option(help="Only from this queue.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Only those that died for it.", show_default=False)]
OlderThan = Annotated[
    float | None, typer.Option(help="Only those that died this many seconds ago.", min=0, show_default=False)
]


def _chosen(task: str | None, queue: str | None, reason: str | None, older_than: float | None) -> dict[str, Any]:
    values = {"name": task, "queue": queue, "reason": reason, "older_than": older_than}
    return {name: value for name, value in values.items() if value is not None}


@app.command("list")
def list_(
    task: Task = None,
    queue: Queue = None,
    reason: Reason = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option(help="Letters at the most.", min=1)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    api: Url = None,
) -> None:
    """List dead letters, the latest first: as a table, or, into a pipe, one a line with tabs between."""
    with Api(api) as client:
        letters = list(islice(_letters(client, _chosen(task, queue, reason, older_than), limit), limit))
    if as_json:
        show_json(letters)
        return
    if not letters:
        err.print("no dead letters")
    elif out.is_terminal:
        out.print(_table(letters))
    else:
        for letter in letters:
            typer.echo("\t".join(_cells(letter)))


def _cells(letter: dict[str, Any]) -> list[str]:
    return [str(letter[name] or "-") for name in _COLUMNS]


def _table(letters: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name == "id")
    for letter in letters:
        table.add_row(*map(escape, _cells(letter)))
    return table


def _letters(client: Api, chosen: dict[str, Any], limit: int) -> Iterator[dict[str, Any]]:
    after: dict[str, str] = {}
    while True:
        page = client.get("/v1/dead-letters", **chosen, **after, limit=min(limit, _PAGE))
        yield from page["items"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}


@app.command()
def show(id: Id, api: Url = None) -> None:
    """Show one with its arguments and headers."""
    with Api(api) as client:
        show_json(client.get(f"/v1/dead-letters/{id}"))


@app.command()
def replay(
    id: Id,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="Named arguments to change; the others stay."),
    ] = None,
    args: Annotated[
        str | None, typer.Option(help="JSON array in place of the positional arguments.", show_default=False)
    ] = None,
    api: Url = None,
) -> None:
    """Run one again under its own id, as it was or with other arguments."""
    with Api(api) as client:
        changes: dict[str, Any] = {}
        if arguments:
            letter = client.get(f"/v1/dead-letters/{id}")
            changes["kwargs"] = {**(letter["kwargs"] or {}), **named(arguments)}
        if args is not None:
            changes["args"] = _array(args)
        client.post(f"/v1/dead-letters/{id}/replay", changes)
    out.print(id, markup=False)
    err.print(f"queued; follow it with: celeriac watch {id}")


def _array(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--args is no JSON: {error}") from error
    if not isinstance(value, list):
        raise typer.BadParameter("--args is no JSON array; write it as '[1, \"two\"]'")
    return value


@app.command()
def delete(id: Id, api: Url = None) -> None:
    """Remove one."""
    with Api(api) as client:
        client.send("DELETE", f"/v1/dead-letters/{id}")


@app.command()
def purge(
    task: Task = None,
    queue: Queue = None,
    reason: Reason = None,
    older_than: OlderThan = None,
    all_: Annotated[bool, typer.Option("--all", help="Remove all, without a filter.")] = False,
    api: Url = None,
) -> None:
    """Remove all that match."""
    chosen = _chosen(task, queue, reason, older_than)
    if bool(chosen) == all_:
        raise typer.BadParameter("give a filter, or --all")
    with Api(api) as client:
        out.print(f"{client.post('/v1/dead-letters/purge', chosen)['removed']} removed")
