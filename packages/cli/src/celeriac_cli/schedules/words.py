"""Schedules in a person's words."""

from collections.abc import Mapping
from typing import Any


def times(when: Mapping[str, Any]) -> str:
    """Return when a schedule fires, in a few words."""
    zone = f" {when['timezone']}" if when.get("timezone") else ""
    match when["kind"]:
        case "interval":
            return f"every {when['every_seconds']:g} s"
        case "cron":
            return f"{when['cron']}{zone}"
        case "crontab":
            fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
            return f"crontab {' '.join(_part(when.get(field, '*')) for field in fields)}{zone}"
        case "solar":
            return f"{when['event']} at {when['latitude']:g}, {when['longitude']:g}"
        case "once":
            return f"once at {when['at']}{'' if _has_offset(when['at']) else zone}"
    return str(dict(when))


def _part(value: object) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _has_offset(text: str) -> bool:
    return text.endswith("Z") or "+" in text[10:] or "-" in text[10:]


def standing(schedule: Mapping[str, Any]) -> str:
    """Return where a schedule stands: its next fire, that it is paused and why, or that it has ended."""
    if schedule["paused"]:
        return f"paused: {schedule['paused']['reason']}"
    return schedule["next_fire"] or "ended"


def flat(value: object, name: str = "") -> dict[str, object]:
    """Return the leaves of nested dictionaries by their dotted names, to be compared."""
    if not isinstance(value, Mapping):
        return {name: value}
    leaves: dict[str, object] = {}
    for key, item in value.items():
        leaves |= flat(item, f"{name}.{key}" if name else str(key))
    return leaves
