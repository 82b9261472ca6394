"""What every kind of schedule boils down to: a function from one moment to the next fire.

Instants are whole milliseconds since the epoch, as everywhere in Redis. A rule knows no clock and keeps no state.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

DAY: Final = 86_400_000


class Rule(Protocol):
    """When a schedule fires."""

    def after(self, instant: int) -> int | None:
        """Return the first fire later than *instant*, or None when there is none."""


def fires(rule: Rule, start: int, end: int) -> Iterator[int]:
    """Yield the fires of *rule* after *start* and up to *end*, oldest first."""
    fire = rule.after(start)
    while fire is not None and fire <= end:
        yield fire
        fire = rule.after(fire)


def newest(rule: Rule, start: int, end: int, limit: int) -> tuple[int, ...]:
    """Return the last *limit* fires after *start* and up to *end*, oldest first.

    Looks back in windows of doubling length, so that a schedule of seconds that has stood still for a year is not
    walked through from its beginning.
    """
    length = 60_000
    while True:
        begin = max(start, end - length)
        last = deque(fires(rule, begin, end), maxlen=limit)
        if len(last) >= limit or begin == start:
            return tuple(last)
        length *= 4


@dataclass(frozen=True, slots=True)
class Interval:
    """Every *every* milliseconds, counted from *anchor*, on clocks that are never changed."""

    anchor: int
    every: int

    def after(self, instant: int) -> int:
        """Return the next multiple; the anchor itself is the first fire."""
        if instant < self.anchor:
            return self.anchor
        return self.anchor + ((instant - self.anchor) // self.every + 1) * self.every


@dataclass(frozen=True, slots=True)
class Once:
    """One fire."""

    at: int

    def after(self, instant: int) -> int | None:
        """Return the fire while it lies ahead."""
        return self.at if self.at > instant else None


@dataclass(frozen=True, slots=True)
class Bounded:
    """Another rule's fires from *start* to *end*, both included; None leaves a side open."""

    rule: Rule
    start: int | None
    end: int | None

    def after(self, instant: int) -> int | None:
        """Return the other rule's next fire within the bounds."""
        if self.start is not None:
            instant = max(instant, self.start - 1)
        fire = self.rule.after(instant)
        return None if fire is None or (self.end is not None and fire > self.end) else fire
