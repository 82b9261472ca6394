"""Time zones, read from the ``tzdata`` package only.

The operating system's zone files are ignored on purpose: an API that previews and a leader that fires must hold the
same rules, and :data:`RULES` says which, so that a leader with newer rules plans the stored times anew.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

RULES: Final = version("tzdata")
"""The release of the rules in use; ``2026.6`` is IANA's 2026f."""

DAY: Final = 86_400
_EPOCH: Final = date(1970, 1, 1).toordinal()
_STEP: Final = 6 * 3600


class UnknownZoneError(ValueError):
    """There is no such IANA time zone; the message lists names like it."""


@cache
def names() -> frozenset[str]:
    """Return the names of all zones."""
    return frozenset(files("tzdata").joinpath("zones").read_text("ascii").split())


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone called *name*.

    Raises:
        UnknownZoneError: there is none.
    """
    if name not in names():
        near = get_close_matches(name, names(), n=3, cutoff=0.6) or [
            known for known in sorted(names()) if known.lower().endswith("/" + name.lower().replace(" ", "_"))
        ]
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UnknownZoneError(f"{name!r} is no IANA time zone{hint}")
    with files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def offset(name: str, instant: int) -> int:
    """Return by how many seconds the clocks of *name* are ahead of UTC at *instant* (seconds since the epoch)."""
    ahead = datetime.fromtimestamp(instant, UTC).astimezone(zone(name)).utcoffset()
    return round((ahead or timedelta()).total_seconds())


class Change(NamedTuple):
    """A moment at which clocks are put forward or back. Seconds throughout."""

    instant: int
    before: int
    """Offset from UTC until *instant*."""
    after: int
    """Offset from UTC from *instant* on."""


def changes(name: str, start: int, end: int) -> Iterator[Change]:
    """Yield the changes of *name*'s clocks after *start* and up to *end* (seconds), oldest first.

    Changes less than six hours apart may go unseen; no zone has had such.
    """
    left, before = start, offset(name, start)
    while left < end:
        right = min(left + _STEP, end)
        after = offset(name, right)
        if after != before:
            yield Change(_boundary(name, left, right), before, after)
        left, before = right, after


def _boundary(name: str, left: int, right: int) -> int:
    """Return the first instant after *left* whose offset is not that of *left*."""
    before = offset(name, left)
    while right - left > 1:
        middle = (left + right) // 2
        left, right = (middle, right) if offset(name, middle) == before else (left, middle)
    return right


class Shown(NamedTuple):
    """Wall times of one date that clocks show, under one offset."""

    first: int
    """Seconds since the date's midnight, inclusive."""
    end: int
    """Exclusive."""
    fresh: int
    """From here on the times are shown for the first time; before it they are a repetition."""
    midnight: int
    """Instant (seconds since the epoch) at which this offset puts the date's midnight."""


class Skipped(NamedTuple):
    """Wall times of one date that clocks leap over."""

    first: int
    end: int
    instant: int
    """The instant of the leap, hence the first one after the gap."""


@lru_cache(maxsize=16_384)
def day(name: str, ordinal: int) -> tuple[Shown | Skipped, ...]:
    """Return how the clocks of *name* pass through a date (its proleptic ordinal), in order of time."""
    midnight = (ordinal - _EPOCH) * DAY
    start, end = midnight - DAY, midnight + 2 * DAY
    ahead, begin, shown = offset(name, start), start, start
    pieces: list[Shown | Skipped | None] = []
    for change in changes(name, start, end):
        pieces.append(_shown(midnight, begin, change.instant, ahead, shown))
        leap_from, leap_to = change.instant + change.before, change.instant + change.after
        pieces.append(_skipped(midnight, leap_from, leap_to, change.instant))
        shown, begin, ahead = leap_from, change.instant, change.after
    pieces.append(_shown(midnight, begin, end, ahead, shown))
    return tuple(piece for piece in pieces if piece is not None)


def _shown(midnight: int, begin: int, end: int, ahead: int, shown: int) -> Shown | None:
    first, last = max(begin + ahead - midnight, 0), min(end + ahead - midnight, DAY)
    if first >= last:
        return None
    return Shown(first, last, max(first, min(shown - midnight, last)), midnight - ahead)


def _skipped(midnight: int, leap_from: int, leap_to: int, instant: int) -> Skipped | None:
    first, last = max(leap_from - midnight, 0), min(leap_to - midnight, DAY)
    return Skipped(first, last, instant) if first < last else None


def shows(name: str, wall: datetime) -> int:
    """Return when the clocks of *name* first show *wall*, or the end of the gap it lies in (seconds)."""
    time = wall.hour * 3600 + wall.minute * 60 + wall.second
    for piece in day(name, wall.toordinal()):
        if isinstance(piece, Skipped):
            if piece.first <= time < piece.end:
                return piece.instant
        elif piece.fresh <= time < piece.end:
            return piece.midnight + time
    raise AssertionError(f"{wall} is neither shown nor skipped in {name}")
