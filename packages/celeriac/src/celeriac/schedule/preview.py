"""The next fires of a schedule, with a word wherever clocks or the calendar do something unexpected."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from celeriac.schedule import zone
from celeriac.schedule.calendar import Calendar
from celeriac.schedule.definition import Definition
from celeriac.schedule.rule import Bounded, Rule
from celeriac.schedule.spec import moment


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire to come."""

    at: datetime
    """In UTC."""
    local: datetime
    """As clocks of the schedule's zone show it; UTC for kinds without one."""
    note: str | None
    """What clocks being changed has to do with it."""


def preview(definition: Definition, after: int, count: int) -> list[Fire]:
    """Return the next *count* fires after the instant *after* (ms), before jitter."""
    rule = definition.rule()
    found: list[Fire] = []
    fire = rule.after(after)
    while fire is not None and len(found) < count:
        found.append(_explained(rule, fire))
        fire = rule.after(fire)
    return found


def _explained(rule: Rule, fire: int) -> Fire:
    calendar = rule.rule if isinstance(rule, Bounded) else rule
    at = moment(fire)
    if not isinstance(calendar, Calendar):
        return Fire(at, at, None)
    return Fire(at, at.astimezone(zone.zone(calendar.timezone)), _note(calendar, fire // 1000))


def _note(calendar: Calendar, second: int) -> str | None:
    local = datetime.fromtimestamp(second, UTC).astimezone(zone.zone(calendar.timezone))
    time = local.hour * 3600 + local.minute * 60 + local.second
    for piece in _pieces(calendar.timezone, local.toordinal()):
        if isinstance(piece, zone.Skipped):
            if piece.instant == second and not calendar.every_hour:
                return _gap(calendar, piece, local.date())
        elif piece.midnight + time == second and time < piece.fresh:
            return f"The second {local:%H:%M} of the day: clocks were put back, and a schedule of every hour goes on."
        elif piece.midnight + time == second and _comes_again(calendar.timezone, local):
            also = "the second one fires too" if calendar.every_hour else "the second one does not fire"
            return f"{local:%H:%M} comes twice on {local:%Y-%m-%d}, when clocks are put back; {also}."
    return None


def _pieces(name: str, ordinal: int) -> tuple[zone.Shown | zone.Skipped, ...]:
    """Return the pieces of a date, and of the date before, whose gap may end in this one."""
    before = tuple(piece for piece in zone.day(name, ordinal - 1) if isinstance(piece, zone.Skipped))
    return before + zone.day(name, ordinal)


def _gap(calendar: Calendar, gap: zone.Skipped, day: date) -> str | None:
    lost = [time for time in calendar.times if gap.first <= time < gap.end]
    if not lost:
        return None
    texts = ", ".join(f"{time // 3600:02}:{time % 3600 // 60:02}" for time in lost[:4])
    more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
    return (
        f"{texts}{more} on {day:%Y-%m-%d}: clocks in {calendar.timezone} leap over "
        f"{'it' if len(lost) == 1 else 'these'}; fires once, at the end of the gap."
    )


def _comes_again(name: str, local: datetime) -> bool:
    return local.replace(fold=1).utcoffset() != local.replace(fold=0).utcoffset() and local.fold == 0
