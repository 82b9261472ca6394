"""Write ``docs/settings.md`` from the settings' own definitions; with ``--check`` only tell whether it is current."""

import sys
from itertools import groupby
from pathlib import Path
from typing import Final

from celeriac.settings.listing import Entry, entries

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
HEAD: Final = """\
# Settings

Every process reads its settings from the environment and from a file `.env` in its working directory; the environment
wins. A value that cannot be used, a variable that is none, and settings that contradict each other end the process at
start with a line that says what to change. `celeriac settings` prints what is in force and where each came from.

Made by `make generate` from `celeriac.settings`; change it there.
"""
TITLES: Final = {
    "": "General",
    "redis": "Redis",
    "task": "Tasks and queues",
    "delivery": "Delivery",
    "result": "Results",
    "api": "API",
    "worker": "Workers",
    "scheduler": "Scheduler",
    "log": "Logs",
}


def render() -> str:
    """Return the page."""
    parts = [HEAD]
    for section, group in groupby(entries(), key=lambda entry: entry.section):
        parts.append(f"## {TITLES.get(section, section.title())}\n")
        rows = ["| variable | value | default | |", "|---|---|---|---|", *map(_row, group)]
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(entry: Entry) -> str:
    default = f"`{entry.default}`" if entry.default else "-"
    description = entry.description.replace("|", "\\|")
    return f"| `{entry.variable}` | {entry.kind} | {default} | {description} |"


def main() -> int:
    """Write or check the page; return the exit code."""
    if "--check" not in sys.argv:
        PAGE.write_text(render())
        return 0
    if PAGE.is_file() and PAGE.read_text() == render():
        return 0
    sys.stdout.write("docs/settings.md is not what the settings say: run make generate\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
