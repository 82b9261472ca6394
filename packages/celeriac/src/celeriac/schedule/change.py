"""What a new definition means for a schedule's next fire."""

import re
from dataclasses import dataclass
from typing import Final

from celeriac.errors import Fault
from celeriac.schedule.definition import Definition
from celeriac.schedule.fault import check_time
from celeriac.schedule.plan import due_at
from celeriac.schedule.spec import IntervalSpec
from celeriac.schedule.stored import Stored

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f/]{1,200}")


def name_fault(id: str) -> Fault | None:
    """Return what is wrong with *id* as a schedule's name, None when nothing is."""
    if _NAME.fullmatch(id) and id == id.strip():
        return None
    return Fault(
        "/id",
        "has 1 to 200 characters, no control character, no slash, and no space at its ends; "
        'right would be, for example, "nightly-report"',
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A definition ready to be written."""

    id: str
    definition: Definition
    next: int | None
    """Nominal time of the next fire (ms); None leaves the stored one."""
    due: int | None


def change(id: str, definition: Definition, current: Stored | None, now: int, timezone: str) -> Change:
    """Return the change that gives the schedule *id* a *definition*.

    The next fire stays when the times stay, so that an edit of anything else loses and doubles none.

    Raises:
        InvalidScheduleError: it has no fire after *now*.
    """
    settled = anchored(definition, current.definition if current else None).settled(now, timezone)
    if current and _times(current.definition) == _times(settled):
        return Change(id, settled, None, None)
    check_time(settled, now)
    fire = settled.rule().after(now)
    return Change(id, settled, fire, None if fire is None else due_at(id, fire, settled))


def _times(definition: Definition) -> tuple[object, ...]:
    return definition.when, definition.start, definition.end


def anchored(definition: Definition, before: Definition | None) -> Definition:
    """Keep the anchor of an interval that names none, or each deployment would begin it anew."""
    when, known = definition.when, before.when if before else None
    if not isinstance(when, IntervalSpec) or not isinstance(known, IntervalSpec):
        return definition
    if when.anchor or when.every_seconds != known.every_seconds:
        return definition
    return definition.model_copy(update={"when": when.model_copy(update={"anchor": known.anchor})})
