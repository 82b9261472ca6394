"""Where the command writes: answers to stdout, everything else to stderr."""

import json
from typing import Any, Final

from rich.console import Console

out: Final = Console(highlight=False)
err: Final = Console(stderr=True, highlight=False)


def show_json(value: Any) -> None:
    """Print *value*: coloured on a terminal, plain JSON for a pipe."""
    if out.is_terminal:
        out.print_json(json.dumps(value))
    else:
        out.print(json.dumps(value, indent=2), soft_wrap=True, markup=False)
