"""One field of a crontab: numbers, names, lists, ranges (which may wrap around) and steps."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Spec = int | str | Iterable[int]
"""What a field may be written as; Celery's ``crontab`` takes the same."""

_PART: Final = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\w+))?")


class FieldError(ValueError):
    """The field called *field* is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True)
class Field:
    """The bounds of a field and the names its values go by."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    @property
    def every(self) -> frozenset[int]:
        """All values."""
        return frozenset(range(self.low, self.high + 1))

    def parse(self, spec: Spec) -> frozenset[int]:
        """Return the values *spec* names.

        Raises:
            FieldError: it names none, or one out of bounds.
        """
        if isinstance(spec, bool):
            raise FieldError(self.name, "true and false are no times")
        if isinstance(spec, int):
            values = {self._within(spec)}
        elif isinstance(spec, str):
            values = {value for part in spec.split(",") for value in self._part(part.strip())}
        else:
            values = {self._within(value) for value in spec}
        if not values:
            raise FieldError(self.name, "is empty")
        return frozenset(values)

    def _part(self, part: str) -> Iterable[int]:
        match = _PART.fullmatch(part)
        if match is None:
            raise FieldError(self.name, f"{part!r} is not a number, a name, a range a-b, or one of these with /step")
        first, last, step = match["first"], match["last"], match["step"]
        if first == "*":
            if last is not None:
                raise FieldError(self.name, f"{part!r} ranges from *; write two numbers")
            values = list(range(self.low, self.high + 1))
        elif last is None:
            if step is not None:
                raise FieldError(self.name, f"{part!r} steps through one value; write {first}-{self.high}/{step}")
            values = [self._value(first)]
        else:
            values = self._range(self._value(first), self._value(last))
        return values[:: self._step(step)]

    def _range(self, first: int, last: int) -> list[int]:
        if first <= last:
            return list(range(first, last + 1))
        return [*range(first, self.high + 1), *range(self.low, last + 1)]

    def _step(self, step: str | None) -> int:
        if step is None:
            return 1
        if not step.isascii() or not step.isdigit() or int(step) == 0:
            raise FieldError(self.name, f"the step {step!r} is not a number above 0")
        return int(step)

    def _value(self, text: str) -> int:
        if text.isascii() and text.isdigit():
            return self._within(int(text))
        wanted = text.lower()
        for index, word in enumerate(self.words):
            if len(wanted) >= 3 and word.startswith(wanted):
                return self.low + index
        known = f" or a name such as {self.words[1][:3]}" if self.words else ""
        raise FieldError(self.name, f"{text!r} is not a number from {self.low} to {self.high}{known}")

    def _within(self, value: object) -> int:
        if not isinstance(value, int) or not self.low <= value <= self.high:
            raise FieldError(self.name, f"{value!r} is not within {self.low}-{self.high}")
        return value

    def text(self, values: frozenset[int]) -> str:
        """Write *values* as a field, ``*`` for all of them."""
        return "*" if values >= self.every else ",".join(str(value) for value in sorted(values))


_WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

MINUTE: Final = Field("minute", 0, 59)
HOUR: Final = Field("hour", 0, 23)
DAY_OF_MONTH: Final = Field("day_of_month", 1, 31)
MONTH_OF_YEAR: Final = Field("month_of_year", 1, 12, _MONTHS)
DAY_OF_WEEK: Final = Field("day_of_week", 0, 6, _WEEKDAYS)
"""0 is Sunday, as in Celery."""
CRON_DAY_OF_WEEK: Final = Field("day_of_week", 0, 7, (*_WEEKDAYS, "sunday"))
"""In cron text 7 is Sunday too."""
CELERY: Final = (MINUTE, HOUR, DAY_OF_WEEK, DAY_OF_MONTH, MONTH_OF_YEAR)
"""The fields of Celery's ``crontab``, in the order of its arguments."""
