"""Reading a request's JSON without Python's leniency, and refusing what would hurt further on."""

import json
import math
from http import HTTPStatus
from typing import Any, NoReturn

from celeriac.errors import InvalidError, pointer
from celeriac_api.problem import RequestError

MAX_DEPTH = 32
"""Objects and lists within each other at the most."""

_LOOKED_AT = (str, list, dict)
_ENVELOPE = {"__type__", "__value__"}


def parse(body: bytes) -> Any:
    """Return the value that *body* says.

    Raises:
        RequestError: it is no JSON in UTF-8, has a number JSON does not have, or names a key twice.
        InvalidError: it is nested too deep, or has a value that a worker could not read (with its path).
    """
    if not body.strip():
        _refuse("The body is empty; send a JSON object.")
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_duplicates
        )
    except UnicodeDecodeError as error:
        _refuse(f"The body is not UTF-8: byte {error.start} ({error.reason}).")
    except json.JSONDecodeError as error:
        _refuse(f"The body is not JSON: {error.msg}, line {error.lineno} column {error.colno}.")
    except RecursionError:
        raise InvalidError(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:  # an integer of more digits than Python reads
        _refuse(f"The body has a number that cannot be read: {error}.")
    _check(value)
    return value


def _refuse(detail: str) -> NoReturn:
    raise RequestError(HTTPStatus.BAD_REQUEST, "malformed", detail)


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"{name} is no JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(f"{text:.40} is beyond the range of numbers.")
    return number


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        _refuse(f"The key {twice!r:.100} appears twice in one object.")
    return value


def _check(value: Any) -> None:
    """Walk *value* with a stack of its own, since depth is what is being checked."""
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())] if isinstance(value, _LOOKED_AT) else []
    while stack:
        item, path = stack.pop()
        if isinstance(item, str):
            if not _is_text(item):
                raise _fault(path, "has a lone surrogate: it is no Unicode text")
            continue
        if len(path) >= MAX_DEPTH:
            raise _fault(path, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, list):
            stack.extend((child, (*path, i)) for i, child in enumerate(item) if isinstance(child, _LOOKED_AT))
            continue
        if item.keys() == _ENVELOPE:
            # kombu turns such an object into a Python value, and drops the whole message if it cannot.
            raise _fault(path, "an object of exactly __type__ and __value__ cannot be sent")
        for name, child in item.items():
            if not _is_text(name):
                raise _fault(path, "has a key with a lone surrogate: it is no Unicode text")
            if isinstance(child, _LOOKED_AT):
                stack.append((child, (*path, name)))


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fault(path: tuple[str | int, ...], message: str) -> InvalidError:
    return InvalidError(message, pointer(path))
