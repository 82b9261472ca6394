"""Schedules declared in code: entries of Celery's ``beat_schedule``, however they got there."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from celery import Celery
from celery.beat import BeatLazyFunc
from celery.schedules import crontab, schedule, solar
from kombu.utils.json import dumps

from celeriac.errors import ConfigurationError
from celeriac.schedule import field
from celeriac.schedule.change import name_fault
from celeriac.schedule.definition import Definition
from celeriac.schedule.fault import InvalidScheduleError, read

_OPTIONS: Final = {"queue", "priority", "expires"}
_ENTRY: Final = {"task", "schedule", "args", "kwargs", "options", "relative", "celeriac"}
_ROUND: Final = "2000-01-01T00:00:00Z"
"""A relative interval is counted from here: an hourly one fires on the hour, as in Celery."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One schedule of the code."""

    id: str
    definition: Definition
    arguments: tuple[list[Any], dict[str, Any]]
    """As Python values, of which the definition has the JSON."""


def declared(app: Celery) -> list[Declared]:
    """Return the schedules of *app*'s configuration, in order of their names.

    Beside Celery's own keys an entry may have ``celeriac``, a dictionary of any other field of a schedule: overlap,
    catch_up, jitter_seconds, start, end, description, or a ``timezone`` for its crontab.

    Raises:
        ConfigurationError: naming the entry, what is wrong with it, and what to write.
    """
    entries: Mapping[str, Any] = app.conf.beat_schedule or {}
    return [_declared(app, name, entries[name]) for name in sorted(entries)]


def _declared(app: Celery, name: str, entry: object) -> Declared:
    try:
        return _read(app, name, entry)
    except InvalidScheduleError as error:
        told = "; ".join(f"{fault.path}: {fault.message}" for fault in error.faults)
        raise ConfigurationError(f"The schedule {name!r} of beat_schedule: {told}") from error
    except (ConfigurationError, TypeError, ValueError) as error:
        raise ConfigurationError(f"The schedule {name!r} of beat_schedule {error}") from error


def _read(app: Celery, name: str, entry: object) -> Declared:
    if fault := name_fault(name):
        raise InvalidScheduleError.of([fault])
    if not isinstance(entry, Mapping):
        raise ConfigurationError("is no dictionary; write {'task': …, 'schedule': …}")
    if unknown := entry.keys() - _ENTRY:
        raise ConfigurationError(f"has {', '.join(sorted(unknown))}; it may have {', '.join(sorted(_ENTRY))}")
    args, kwargs = list(entry.get("args") or ()), dict(entry.get("kwargs") or {})
    if any(isinstance(value, BeatLazyFunc) for value in (*args, *kwargs.values())):
        raise ConfigurationError("has a BeatLazyFunc argument; let the task work the value out when it runs")
    return Declared(name, read(_spelled(app, entry, args, kwargs)), (args, kwargs))


def _spelled(app: Celery, entry: Mapping[str, Any], args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    further = dict(entry.get("celeriac") or {})
    deadline = app.conf.beat_cron_starting_deadline
    if isinstance(entry.get("schedule"), crontab) and deadline is not None:
        further.setdefault("catch_up_window_seconds", deadline or 0.001)
    when = _when(app, entry.get("schedule"), relative=bool(entry.get("relative")), zone=further.pop("timezone", None))
    return {
        "task": entry.get("task"),
        "args": json.loads(dumps(args)),
        "kwargs": json.loads(dumps(kwargs)),
        "when": when,
        **_options(entry.get("options") or {}),
        **further,
    }


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := options.keys() - _OPTIONS:
        raise ConfigurationError(f"has the option {', '.join(sorted(unknown))}; it may have {', '.join(_OPTIONS)}")
    spelled = {name: options[name] for name in ("queue", "priority") if options.get(name) is not None}
    expires = options.get("expires")
    if expires is not None:
        spelled["expires_seconds"] = expires.total_seconds() if isinstance(expires, timedelta) else expires
    return spelled


def _when(app: Celery, value: object, *, relative: bool, zone: str | None) -> dict[str, Any]:
    """Return *value*, anything Celery takes as a schedule, as a spec."""
    if getattr(value, "nowfun", None) is not None:
        raise ConfigurationError("has a nowfun; what time it is, Redis says")
    match value:
        case bool():
            pass
        case int() | float():
            return _interval(timedelta(seconds=value), relative)
        case timedelta():
            return _interval(value, relative)
        case crontab():
            fields = {known.name: known.text(frozenset(getattr(value, known.name))) for known in field.CELERY}
            return {"kind": "crontab", "timezone": zone or str(app.timezone), **fields}
        case solar():
            return {"kind": "solar", "event": value.event, "latitude": value.lat, "longitude": value.lon}
        case schedule():
            return _interval(timedelta(seconds=value.seconds), relative or value.relative)
        case Mapping():
            return {**value, "timezone": zone} if zone else dict(value)
    raise ConfigurationError(
        f"has the schedule {value!r}; write seconds, a timedelta, crontab(…), solar(…), or a dictionary "
        "such as {'kind': 'cron', 'cron': '30 2 * * *', 'timezone': 'Europe/Berlin'}"
    )


def _interval(every: timedelta, relative: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {"kind": "interval", "every_seconds": every.total_seconds()}
    return {**spec, "anchor": _ROUND} if relative else spec


def check_queues(schedules: Iterable[Declared], queues: Iterable[str]) -> None:
    """Check that every queue that *schedules* name is among *queues*.

    Raises:
        ConfigurationError: one is not.
    """
    known = list(queues)
    for item in schedules:
        queue = item.definition.queue
        if queue is not None and queue not in known:
            raise ConfigurationError(
                f"The schedule {item.id!r} of beat_schedule goes to the queue {queue!r}, which is not among "
                f"CELERIAC_TASK_QUEUES ({', '.join(known)}): add it there, or name one of those"
            )
