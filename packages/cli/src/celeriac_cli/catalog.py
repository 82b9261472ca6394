"""``celeriac catalog``: what can be submitted."""

from typing import Annotated, Any

import typer
from rich.table import Table

from celeriac_cli.api import Api, Url
from celeriac_cli.console import out, show_json


def catalog(
    name: Annotated[str | None, typer.Argument(help="One task, in full.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    api: Url = None,
) -> None:
    """List the tasks that workers offer, or show one with the JSON Schema of its arguments."""
    with Api(api) as client:
        if name is not None:
            show_json(client.get(f"/v1/catalog/{name}"))
            return
        entries = client.get("/v1/catalog")["items"]
    if as_json:
        show_json(entries)
        return
    table = Table("task", "queue", "arguments", "what it does", box=None, header_style="bold")
    for entry in entries:
        table.add_row(entry["name"], entry["queue"], _arguments(entry["arguments"]), _summary(entry))
    out.print(table)


def _arguments(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    return ", ".join(name if name in required else f"[{name}]" for name in schema["properties"]).replace("[", r"\[")


def _summary(entry: dict[str, Any]) -> str:
    return str(entry["description"]).partition("\n")[0]
