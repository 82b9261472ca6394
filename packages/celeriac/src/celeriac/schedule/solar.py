"""Fires by the sun, computed by Celery's own ``solar`` schedule."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args

from celery.schedules import solar

Event = Literal[
    "dawn_astronomical", "dawn_nautical", "dawn_civil", "sunrise", "solar_noon",
    "sunset", "dusk_civil", "dusk_nautical", "dusk_astronomical",
]  # fmt: skip
EVENTS: Final[tuple[str, ...]] = get_args(Event)

_GIVEN_UP: Final = timedelta(days=365)
"""Where the sun does not do it within a year, Celery names the time at which it stopped looking (366 days on)."""


@dataclass(frozen=True)
class Solar:
    """Every *event* of the sun as seen from a place, in degrees north and east."""

    event: Event
    latitude: float
    longitude: float

    def after(self, instant: int) -> int | None:
        """Return the next such event, to the second, or None if there is none within a year."""
        now = datetime.fromtimestamp(instant / 1000, UTC)
        # Half a minute on, or rounding would find the event just fired again.
        start = now + timedelta(seconds=30)
        sun = solar(self.event, self.latitude, self.longitude, nowfun=lambda: start)
        ahead = sun.remaining_estimate(start)
        if ahead >= _GIVEN_UP:
            return None
        return round((start + ahead).timestamp()) * 1000
