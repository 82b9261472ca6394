"""Arguments of a task on the command line."""

import json
from collections.abc import Sequence
from typing import Any

import typer


def named(arguments: Sequence[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` each; a value that is JSON is read as such, any other is text."""
    values: dict[str, Any] = {}
    for argument in arguments:
        name, separator, text = argument.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"{argument!r} is no NAME=VALUE")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values
