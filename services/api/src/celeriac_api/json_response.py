"""JSON that any client can read, whatever a task returned."""

import json
import math
from typing import Any

from celery.backends.base import decompress_payload  # type: ignore[attr-defined]  # new in 5.7, not in celery-types
from fastapi.responses import JSONResponse


def dump(value: Any) -> bytes:
    """Return *value* as JSON in ASCII, so that a lone surrogate in a result cannot break the answer."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


class AsciiJSONResponse(JSONResponse):
    """A JSON answer in ASCII."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return dump(content)


def load_result(payload: bytes) -> Any:
    """Read what a worker stored of a result, packed (``CELERIAC_RESULT_COMPRESSION``) or not.

    Values in kombu's type envelope (datetime, UUID, …) become their text. NaN and the infinities, which Python
    writes and JSON does not have, become null.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        text = decompress_payload(payload)
    except Exception as error:  # each codec has errors of its own
        raise ValueError(f"cannot be decompressed: {error}") from error
    return json.loads(text, object_hook=_open_envelope, parse_constant=_no_number, parse_float=_finite)


def _open_envelope(value: dict[str, Any]) -> Any:
    return value["__value__"] if value.keys() == {"__type__", "__value__"} else value


def _no_number(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
