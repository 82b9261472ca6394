"""When a schedule fires, as people write it: one model per kind, told apart by ``kind``.

``settled`` fills in what depends on the moment of writing (the zone when none is named, the anchor of an interval),
so that what is stored means the same for ever and ``rule`` needs nothing else.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic import field_validator as validates

from celeriac.schedule import cron, field, solar, zone
from celeriac.schedule.calendar import Calendar
from celeriac.schedule.rule import Interval, Once, Rule

_TEN_YEARS: Final = 10 * 366 * 86_400.0


def milliseconds(moment: datetime) -> int:
    """Return *moment* in milliseconds since the epoch."""
    return round(moment.timestamp() * 1000)


def moment(instant: int) -> datetime:
    """Return *instant* (milliseconds since the epoch) in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)


def _known_zone(name: str | None) -> str | None:
    if name is not None:
        zone.zone(name)
    return name


Timezone = Annotated[
    str | None,
    AfterValidator(_known_zone),
    Field(description="IANA zone; unset, CELERIAC_SCHEDULER_TIMEZONE."),
]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def settled(self, now: int, timezone: str) -> Self:
        """Return the spec with nothing left to the moment (*now*, ms) or the default *timezone*."""
        return self

    def rule(self) -> Rule:
        """Return the function that says when. The spec must be settled."""
        raise NotImplementedError


class _Zoned(_Spec):
    timezone: Timezone = None

    def settled(self, now: int, timezone: str) -> Self:
        return self if self.timezone else self.model_copy(update={"timezone": timezone})

    @property
    def zone(self) -> str:
        """The zone's name."""
        return self.timezone or "UTC"


class IntervalSpec(_Spec):
    """Every so many seconds, on a clock that is never put forward or back."""

    kind: Literal["interval"]
    every_seconds: Annotated[float, Field(ge=0.1, le=_TEN_YEARS)]
    anchor: AwareDatetime | None = Field(
        default=None,
        description="A fire to count from; unset, the moment the schedule is made, and not a fire itself.",
    )

    def settled(self, now: int, timezone: str) -> Self:
        return self if self.anchor else self.model_copy(update={"anchor": moment(now)})

    def rule(self) -> Rule:
        return Interval(milliseconds(self.anchor) if self.anchor else 0, round(self.every_seconds * 1000))


Part = Annotated[
    int | str | list[int], Field(description="A number, a list of numbers, or text such as 1-5 or */15.")
]


def _bounds(name: str | None) -> field.Field:
    return next(known for known in field.CELERY if known.name == name)


class CrontabSpec(_Zoned):
    """Celery's ``crontab``: a day must match day_of_week *and* day_of_month *and* month_of_year."""

    kind: Literal["crontab"]
    minute: Part = "*"
    hour: Part = "*"
    day_of_week: Part = "*"
    day_of_month: Part = "*"
    month_of_year: Part = "*"

    @validates("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
    @classmethod
    def _readable(cls, part: int | str | list[int], info: ValidationInfo) -> int | str | list[int]:
        _bounds(info.field_name).parse(part)
        return part

    def rule(self) -> Rule:
        return Calendar(
            minutes=field.MINUTE.parse(self.minute),
            hours=field.HOUR.parse(self.hour),
            days=field.DAY_OF_MONTH.parse(self.day_of_month),
            months=field.MONTH_OF_YEAR.parse(self.month_of_year),
            weekdays=field.DAY_OF_WEEK.parse(self.day_of_week),
            timezone=self.zone,
        )


class CronSpec(_Zoned):
    """Cron text of five fields, or a macro such as @daily, in a zone of its own."""

    kind: Literal["cron"]
    cron: Annotated[str, Field(max_length=500)]

    @validates("cron")
    @classmethod
    def _readable(cls, text: str) -> str:
        cron.parse(text, "UTC")
        return text

    def rule(self) -> Rule:
        return cron.parse(self.cron, self.zone)


class SolarSpec(_Spec):
    """At an event of the sun at a place."""

    kind: Literal["solar"]
    event: solar.Event
    latitude: Annotated[
        float, Field(ge=-89.5, le=89.5, description="Degrees north; at the poles days have no sunrise.")
    ]
    longitude: Annotated[float, Field(ge=-180, le=180, description="Degrees east.")]

    def rule(self) -> Rule:
        return solar.Solar(self.event, self.latitude, self.longitude)


class OnceSpec(_Zoned):
    """At one moment."""

    kind: Literal["once"]
    at: datetime = Field(description="With an offset, or as the clocks of the time zone show it.")

    def rule(self) -> Rule:
        if self.at.tzinfo is not None:
            return Once(milliseconds(self.at))
        return Once(zone.shows(self.zone, self.at) * 1000 + self.at.microsecond // 1000)


Spec = Annotated[IntervalSpec | CrontabSpec | CronSpec | SolarSpec | OnceSpec, Field(discriminator="kind")]
