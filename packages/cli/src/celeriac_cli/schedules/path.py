"""Where a schedule is in the API, and the options that say which one."""

from typing import Annotated
from urllib.parse import quote

import typer

Id = Annotated[str, typer.Argument(help="The schedule's id.")]
Version = Annotated[
    int | None, typer.Option(help="Only if it is still at this version, as show tells.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def path(id: str, *parts: str) -> str:
    """Return the path of the schedule *id*, or of something below it."""
    return "/".join(("/v1/schedules", quote(id, safe=""), *parts))


def if_match(version: int | None) -> dict[str, str]:
    """Return the headers that guard a change by *version*."""
    return {} if version is None else {"If-Match": f'"{version}"'}
