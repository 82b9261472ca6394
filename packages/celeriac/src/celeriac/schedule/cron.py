"""Cron text: five fields as in crontab(5), or a macro."""

from typing import Final

from celeriac.schedule.calendar import Calendar
from celeriac.schedule.field import CRON_DAY_OF_WEEK, DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH_OF_YEAR

MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def parse(text: str, timezone: str) -> Calendar:
    """Return the times that *text* names: minute, hour, day of month, month, day of week.

    ``?`` is ``*`` in both day fields; ``L`` is the last day of the month; 0 and 7 are Sunday. With both day fields
    restricted a day need match only one of them, as in every cron, where Celery's ``crontab`` wants both.

    Raises:
        ValueError: it is no cron text; names the field.
    """
    fields = MACROS.get(text.strip().lower(), text).split()
    if len(fields) != 5:
        known = f", or one of {', '.join(MACROS)}" if text.strip().startswith("@") else ""
        raise ValueError(
            f"{text!r} has {len(fields)} fields; write five (minute, hour, day of month, month, day of week){known}"
        )
    minute, hour, day, month, weekday = fields
    numbers = [part for part in day.replace("?", "*").split(",") if part.upper() != "L"]
    last_day = len(numbers) < len(day.split(","))
    days = DAY_OF_MONTH.parse(",".join(numbers)) if numbers else frozenset()
    weekdays = frozenset(value % 7 for value in CRON_DAY_OF_WEEK.parse(weekday.replace("?", "*")))
    return Calendar(
        minutes=MINUTE.parse(minute),
        hours=HOUR.parse(hour),
        days=days,
        months=MONTH_OF_YEAR.parse(month),
        weekdays=weekdays,
        timezone=timezone,
        last_day=last_day,
        either_day=days < DAY_OF_MONTH.every and weekdays < DAY_OF_WEEK.every,
    )
