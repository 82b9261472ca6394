"""The states of a run, and who may move it from one to the next.

The table is the only statement of the rule: the Lua scripts receive it as an argument, the property test checks
every observed change against it, and ``docs/states.md`` is drawn from it.
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a run stands. Values are what the API shows and what the record holds."""

    SCHEDULED = "scheduled"
    """Waits in the delayed set for its time."""
    QUEUED = "queued"
    """In a queue list, or handed to a worker that has not started it yet."""
    RUNNING = "running"
    """A worker has started it."""
    RETRYING = "retrying"
    """Failed, and will run again by the task's own wish."""
    REQUEUED = "requeued"
    """Given back by a stopping worker, or taken back from a lost one."""
    SUCCEEDED = "succeeded"
    """Its task returned."""
    FAILED = "failed"
    """Its task raised, or was killed at its time limit."""
    CANCELLED = "cancelled"
    """Somebody asked for its end: before it started, or it stopped."""
    EXPIRED = "expired"
    """Its ``expires`` passed before a worker took it."""
    DEAD = "dead"
    """A dead letter: it will not be delivered again unless somebody replays it."""


FINAL: Final = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED, State.DEAD})


class Actor(StrEnum):
    """Who makes a transition."""

    SUBMITTER = "submitter"
    WORKER = "worker"
    LEADER = "leader"
    OPERATOR = "operator"


_WAITING = (State.SCHEDULED, State.QUEUED, State.RETRYING, State.REQUEUED)

TRANSITIONS: Final[dict[Actor, dict[State, frozenset[State]]]] = {
    Actor.WORKER: {
        **dict.fromkeys(
            _WAITING,
            frozenset(
                {
                    State.SCHEDULED,
                    State.RUNNING,
                    State.REQUEUED,
                    State.RETRYING,
                    State.SUCCEEDED,
                    State.FAILED,
                    State.CANCELLED,
                    State.EXPIRED,
                    State.DEAD,
                }
            ),
        ),
        State.RUNNING: frozenset(
            {
                State.RETRYING,
                State.REQUEUED,
                State.SUCCEEDED,
                State.FAILED,
                State.CANCELLED,
                State.DEAD,
            }
        ),
    },
    Actor.LEADER: {
        State.SCHEDULED: frozenset({State.QUEUED}),
        State.QUEUED: frozenset({State.REQUEUED, State.DEAD, State.CANCELLED}),
        State.RUNNING: frozenset({State.REQUEUED, State.DEAD, State.CANCELLED}),
        State.RETRYING: frozenset({State.REQUEUED, State.DEAD, State.CANCELLED}),
        State.REQUEUED: frozenset({State.REQUEUED, State.DEAD, State.CANCELLED}),
    },
    Actor.OPERATOR: {
        **dict.fromkeys(_WAITING, frozenset({State.CANCELLED})),
        State.DEAD: frozenset({State.QUEUED}),
    },
}
"""``TRANSITIONS[who][from]`` is the set of states that *who* may move the run to.

A submitter makes runs and moves none. Final states have no way out but the operator's replay of a dead letter.
"""


def allowed(actor: Actor, old: State, new: State) -> bool:
    """Tell whether *actor* may move a run from *old* to *new*."""
    return new in TRANSITIONS.get(actor, {}).get(old, frozenset())
