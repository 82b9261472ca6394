"""Times in requests: RFC 3339 text with an offset, nothing else."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

LONGEST_SECONDS = 10 * 366 * 86_400
"""The longest time a caller may name: ten years, well within what a time in milliseconds can say."""

_SHAPE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)")
_EXAMPLE = "2026-12-24T18:00:00+01:00"


def parse(value: object) -> datetime:
    """Return the time that *value* says, in UTC.

    Raises:
        ValueError: it is no RFC 3339 text with an offset. A time without one would mean something else elsewhere.
    """
    if not isinstance(value, str) or not _SHAPE.fullmatch(value):
        raise ValueError(f"write a time with its offset, such as {_EXAMPLE}")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"there is no such time ({error}); write it such as {_EXAMPLE}") from error


def _seconds_or_time(value: Any) -> float | datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value <= 0:
            raise ValueError("must be greater than 0 seconds")
        return float(value)
    if isinstance(value, str):
        return parse(value)
    raise ValueError(f"give seconds from now, or a time such as {_EXAMPLE}")


Timestamp = Annotated[datetime, BeforeValidator(parse), Field(examples=[_EXAMPLE])]
"""A time."""

SecondsOrTime = Annotated[
    float | datetime,
    PlainValidator(_seconds_or_time),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "format": "date-time"}],
            "examples": [3600, _EXAMPLE],
        }
    ),
]
"""Seconds from now, or a time."""
