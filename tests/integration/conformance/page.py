"""Write ``docs/conformance.md`` from the suite's tests; with ``--check`` only tell whether it is current.

What the page says is what the suite asserts: each test runs on each pool with both kinds of task, and one whose pool
does otherwise asserts that difference.
"""

import ast
import sys
from pathlib import Path
from typing import Final

from tests.integration.conformance.differences import DIFFERENCES, POOLS

SUITE: Final = Path(__file__).parent
PAGE: Final = SUITE.parents[2] / "docs" / "conformance.md"
KINDS: Final = ("sync", "async")
HEAD: Final = """# How tasks behave under each pool

Made by `make generate` from `tests/integration/conformance`, which runs each of these behaviours on a real worker of
each pool, once with a `def` task and once with the same task as `async def`.

"yes": as Celery documents it for prefork. A number: it differs, for the reason below, and the test asserts that
difference.

"""


def behaviours() -> dict[str, str]:
    """Return what each test is about, by its name without ``test_``."""
    return {
        node.name.removeprefix("test_"): (ast.get_docstring(node) or "").splitlines()[0].rstrip(".")
        for file in sorted(SUITE.glob("test_*.py"))
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def page() -> str:
    """Return the page."""
    notes: list[str] = []
    lines = ["| | " + " | ".join(POOLS) + " |", "|---|" + "---|" * len(POOLS)]
    for behaviour, title in behaviours().items():
        cells = [_cell(behaviour, pool, notes) for pool in POOLS]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    reasons = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return HEAD + "\n".join([*lines, "", *reasons]) + "\n"


def _cell(behaviour: str, pool: str, notes: list[str]) -> str:
    cells = []
    for kind in KINDS:
        reason = DIFFERENCES.get((behaviour, pool, kind))
        if reason is None:
            cells.append("yes")
            continue
        if reason not in notes:
            notes.append(reason)
        cells.append(str(notes.index(reason) + 1))
    sync, asynchronous = cells
    return sync if sync == asynchronous else f"def {sync}, async {asynchronous}"


def main() -> int:
    """Write the page, or with ``--check`` return 1 when it is not current."""
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    if PAGE.exists() and PAGE.read_text() == page():
        return 0
    sys.stdout.write("docs/conformance.md is not what the suite asserts: run make generate\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
