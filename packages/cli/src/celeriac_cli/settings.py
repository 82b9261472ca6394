"""``celeriac settings``: what is in force here, and where each value came from."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from celeriac.settings import load
from celeriac.settings.listing import effective
from celeriac_cli.console import out


def settings(
    changed: Annotated[bool, typer.Option("--changed", help="Only what differs from its default.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """List all settings with their values here and their sources; secrets are not shown. See docs/settings.md."""
    lines = [line for line in effective(load(), folder=Path.cwd()) if not changed or line.source != "default"]
    if as_json:
        for line in lines:
            out.print(json.dumps(line._asdict()), markup=False, highlight=False, soft_wrap=True)
        return
    table = Table("variable", "value", "source", box=None, header_style="bold")
    for line in lines:
        table.add_row(*line, style=None if line.source == "default" else "bold")
    out.print(table)
