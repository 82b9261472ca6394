"""Fires by the fields of a calendar in a time zone, with the rules for days on which clocks change.

A schedule of every hour (its hours are all 24) follows the clock: it fires whenever a clock shows a matching time,
hence in both passes of a repeated hour. Any other names times of the day: one that clocks leap over fires at the end
of the gap, several of one gap fire there once, and one that comes twice fires the first time. These are the rules of
Debian's cron; ``docs/schedules.md`` has the table.
"""

import calendar
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from celeriac.schedule import zone
from celeriac.schedule.field import HOUR

_HORIZON_MONTHS: Final = 12 * 41
"""A 29 February on a given weekday comes again after 40 years at the most (over a century that is no leap year)."""
_LAST_YEAR: Final = 9990


@lru_cache(maxsize=4096)
def _times(hours: frozenset[int], minutes: frozenset[int]) -> tuple[int, ...]:
    """Return all times of a day, in seconds since midnight."""
    return tuple(hour * 3600 + minute * 60 for hour in sorted(hours) for minute in sorted(minutes))


@dataclass(frozen=True)
class Calendar:
    """Times by minute, hour and day."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    timezone: str
    last_day: bool = False
    """Also the last day of the month, whichever that is."""
    either_day: bool = False
    """A day matches by its number *or* its weekday (cron text with both restricted), not by both (Celery)."""

    @property
    def every_hour(self) -> bool:
        """Whether the schedule follows the clock rather than naming times of the day."""
        return self.hours >= HOUR.every

    @property
    def times(self) -> tuple[int, ...]:
        """All times of a day, in seconds since midnight."""
        return _times(self.hours, self.minutes)

    def after(self, instant: int) -> int | None:
        """Return the first fire later than *instant*."""
        second = instant // 1000
        local = datetime.fromtimestamp(second, UTC).astimezone(zone.zone(self.timezone))
        # A gap around midnight moves a time of the day before into this one.
        for ordinal in self.dates(local.toordinal() - 1):
            fire = self._within(ordinal, second)
            if fire is not None:
                return fire * 1000
        return None

    def dates(self, ordinal: int) -> Iterator[int]:
        """Yield the matching dates from *ordinal* on, as ordinals."""
        first = date.fromordinal(ordinal)
        year, month, day = first.year, first.month, first.day
        for _ in range(_HORIZON_MONTHS):
            if year > _LAST_YEAR:
                return
            if month in self.months:
                weekday, length = calendar.monthrange(year, month)
                begin = date(year, month, 1).toordinal() - 1
                for number in range(day, length + 1):
                    if self._matches(number, length, (weekday + number) % 7):
                        yield begin + number
            year, month, day = (year, month + 1, 1) if month < 12 else (year + 1, 1, 1)

    def _matches(self, number: int, length: int, weekday: int) -> bool:
        by_number = number in self.days or (self.last_day and number == length)
        by_weekday = weekday in self.weekdays
        return by_number or by_weekday if self.either_day else by_number and by_weekday

    def _within(self, ordinal: int, second: int) -> int | None:
        """Return the first fire of one date later than *second*."""
        times = self.times
        for piece in zone.day(self.timezone, ordinal):
            if isinstance(piece, zone.Skipped):
                if piece.instant > second and not self.every_hour and self._any(piece):
                    return piece.instant
                continue
            first = piece.first if self.every_hour else piece.fresh
            index = max(bisect_left(times, first), bisect_right(times, second - piece.midnight))
            if index < len(times) and times[index] < piece.end:
                return piece.midnight + times[index]
        return None

    def _any(self, gap: zone.Skipped) -> bool:
        index = bisect_left(self.times, gap.first)
        return index < len(self.times) and self.times[index] < gap.end
