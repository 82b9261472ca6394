"""Turning bad schedules into errors that name the field and show a right one."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from celeriac.errors import Fault, InvalidError, pointer
from celeriac.schedule.definition import Definition
from celeriac.schedule.spec import moment

WHEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "interval": {"kind": "interval", "every_seconds": 30},
    "crontab": {"kind": "crontab", "minute": "*/15", "hour": "8-17", "day_of_week": "mon-fri"},
    "cron": {"kind": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin"},
    "solar": {"kind": "solar", "event": "sunset", "latitude": 52.5, "longitude": 13.4},
    "once": {"kind": "once", "at": "2030-01-31T09:00:00", "timezone": "Europe/Berlin"},
}
"""A right example of each kind."""

EXAMPLES: Final[Mapping[str, Any]] = {
    "task": "cookbook.mail.send",
    "args": [2026, "summary"],
    "kwargs": {"year": 2026},
    "queue": "default",
    "priority": 3,
    "expires_seconds": 3600,
    "start": "2030-01-01T00:00:00Z",
    "end": "2030-12-31T23:59:59Z",
    "jitter_seconds": 5,
    "overlap": "skip",
    "catch_up": "last",
    "catch_up_limit": 100,
    "catch_up_window_seconds": 3600,
    "description": "Nightly report for accounting",
}
"""A right example of each other field."""


class InvalidScheduleError(InvalidError):
    """The schedule is wrong, in one field or several. Each fault's message ends in a right example."""

    code = "invalid-schedule"


def fault(path: str, message: str, kind: str | None = None) -> Fault:
    """Return a fault of the field at *path*; *kind* is the schedule's, if that is known.

    The example is a right value of the field; for a field of ``when``, of the whole of it.
    """
    top = path.split("/")[1] if path else ""
    if top == "when":
        example = WHEN.get(kind or "", WHEN["cron"])
    else:
        example = EXAMPLES.get(top, {"task": EXAMPLES["task"], "when": WHEN["cron"]})
    return Fault(path, f"{message}; right would be, for example, {json.dumps(example)}")


def read(data: object) -> Definition:
    """Return the definition that *data* (decoded JSON) spells.

    Raises:
        InvalidScheduleError: with all its faults.
    """
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        kind = _kind(data)
        raise InvalidScheduleError.of([_fault(problem, kind) for problem in error.errors()]) from error


def check_time(definition: Definition, now: int) -> None:
    """Check that a settled definition has a fire after *now* (ms).

    Raises:
        InvalidScheduleError: it has none.
    """
    if definition.rule().after(now) is not None:
        return
    when = definition.when
    if when.kind == "once":
        bound = fault("/when/at", f"{when.at.isoformat()} is past, or outside start and end", "once")
    elif definition.end is not None:
        bound = fault("/end", f"no fire comes between now ({moment(now):%Y-%m-%dT%H:%M:%SZ}) and end")
    else:
        bound = fault("/when", "no such day ever comes", when.kind)
    raise InvalidScheduleError.of([bound])


def _kind(data: object) -> str | None:
    when = data.get("when") if isinstance(data, Mapping) else None
    kind = when.get("kind") if isinstance(when, Mapping) else None
    return kind if isinstance(kind, str) else None


def _fault(problem: Mapping[str, Any], kind: str | None) -> Fault:
    place = [str(part) for part in problem["loc"]]
    if len(place) > 1 and place[0] == "when" and place[1] in WHEN:
        # pydantic names the chosen model after the field.
        del place[1]
    if len(place) > 1 and place[0] == "when" and place[-1] in ("int", "str", "list[int]"):
        place.pop()
    message = str(problem["msg"]).removeprefix("Value error, ").removeprefix(f"{place[-1] if place else ''}: ")
    if problem["type"].startswith("union_tag"):
        place.append("kind")
        message = f"is one of {', '.join(WHEN)}"
    return fault(pointer(place), message, kind)
