"""What a schedule that has come due does now: which fires run, which are given up, and when it looks again."""

from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile
from typing import Final

from celeriac.schedule.definition import CATCH_UP_MAX, CatchUp, Definition
from celeriac.schedule.rule import Rule, fires, newest

GRACE_MS: Final = 5000
"""A fire up to this late is on time: a busy leader is no outage, and each policy treats the two alike."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Fires given up."""

    first: int
    last: int
    count: int
    """At least; see *more*."""
    more: bool
    """There were more than were counted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Times are nominal, in milliseconds; jitter moves only when one becomes due."""

    runs: tuple[int, ...]
    """Fires to submit, oldest first."""
    made_up: int
    """How many of *runs*, the first ones, are late."""
    missed: Missed | None
    next: int | None
    """The next fire, None when there is none."""


def due_at(id: str, fire: int, definition: Definition) -> int:
    """Return when the fire at nominal time *fire* is to run: with jitter, the same for whoever asks."""
    if not definition.jitter_seconds:
        return fire
    digest = blake2b(f"{id} {fire}".encode(), digest_size=8).digest()
    return fire + int(int.from_bytes(digest) / 2**64 * definition.jitter_seconds * 1000)


def plan(id: str, definition: Definition, rule: Rule, pending: int, now: int) -> Plan:
    """Decide about all fires from *pending* (the first not dealt with) up to *now*."""
    cutoff = now - GRACE_MS
    # With jitter a nominal time this old is late whatever its own jitter was.
    surely_late = cutoff - round(definition.jitter_seconds * 1000) - 1
    late = list(newest(rule, pending - 1, surely_late, CATCH_UP_MAX))
    recent = takewhile(
        lambda fire: due_at(id, fire, definition) <= now, fires(rule, max(surely_late, pending - 1), now)
    )
    on_time: list[int] = []
    for fire in recent:
        (on_time if due_at(id, fire, definition) >= cutoff else late).append(fire)
    made_up = _made_up(definition, late, on_time, now)
    # The first fire counts even when looking back stopped before it.
    given_up = late[: len(late) - len(made_up)]
    more = bool(late) and late[0] > pending
    missed = None
    if given_up or more:
        last = given_up[-1] if given_up else pending
        missed = Missed(pending, last, max(len(given_up), 1), more)
    runs = (*made_up, *on_time)
    done = max((pending - 1, *late[-1:], *on_time[-1:]))
    return Plan(runs, len(made_up), missed, rule.after(done))


def _made_up(definition: Definition, late: list[int], on_time: list[int], now: int) -> list[int]:
    window = definition.catch_up_window_seconds
    young = late if window is None else [fire for fire in late if fire >= now - window * 1000]
    match definition.catch_up:
        case CatchUp.NONE:
            return []
        case CatchUp.LAST:
            return [] if on_time else young[-1:]
        case CatchUp.ALL:
            return young[-definition.catch_up_limit :]
