"""Write ``docs/states.md`` from :mod:`celeriac.states`; with ``--check`` only tell whether it is current."""

import ast
import inspect
import sys
from pathlib import Path

from celeriac import states
from celeriac.states import FINAL, TRANSITIONS, Actor, State

PAGE = Path(__file__).parent.parent / "docs" / "states.md"
WAITING = (State.SCHEDULED, State.QUEUED, State.RETRYING, State.REQUEUED)

HEAD = """\
# States of a run

Made by `make generate` from `celeriac.states`; change it there. The Lua scripts are given the same table, and the
property test (`tests/integration/delivery/test_property.py`) checks every change it sees against it.

A submitter makes runs, as `queued` or `scheduled`, and moves none; a stock producer's message has no record before a
worker takes it, and begins as `queued`. Nothing leads out of a final state but the replay of a dead letter.
"""
BY = {
    Actor.WORKER: "Made by workers, in `reserve`, `start`, `finish`, `retry` and `requeue`:",
    Actor.LEADER: "Made by the leader, in `promote` and `reclaim`:",
    Actor.OPERATOR: "Made by operators, in `cancel` and `replay`:",
}


def meanings() -> dict[State, str]:
    """Return what the source says of each state."""
    (found,) = (
        node for node in ast.walk(ast.parse(inspect.getsource(states))) if isinstance(node, ast.ClassDef)
        and node.name == "State"
    )  # fmt: skip
    said: dict[State, str] = {}
    for before, after in zip(found.body, found.body[1:], strict=False):
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr):
            said[State(ast.literal_eval(before.value))] = " ".join(str(ast.literal_eval(after.value)).split())
    return said


def diagram(actor: Actor) -> list[str]:
    """Return the moves of *actor*; those that all waiting states share are drawn from their box."""
    moves = TRANSITIONS[actor]
    shared = frozenset.intersection(*(moves.get(state, frozenset()) for state in WAITING))
    lines = ["```mermaid", "stateDiagram-v2"]
    if shared:
        lines += ["    state waiting {", *(f"        {state}" for state in WAITING), "    }"]
        lines += [f"    waiting --> {new}" for new in sorted(shared)]
    for old in State:
        own = moves.get(old, frozenset()) - (shared if old in WAITING else frozenset())
        lines += [f"    {old} --> {new}" for new in sorted(own)]
    return [*lines, "```"]


def page() -> str:
    """Return the page."""
    said = meanings()
    lines = [HEAD, "| state | final | |", "|---|---|---|"]
    lines += [f"| `{state}` | {'yes' if state in FINAL else ''} | {said[state]} |" for state in State]
    for actor, words in BY.items():
        lines += ["", words, "", *diagram(actor)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or with ``--check`` return 1 when it is not current."""
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    if PAGE.exists() and PAGE.read_text() == page():
        return 0
    sys.stdout.write("docs/states.md is not what celeriac.states says: run make generate\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
