"""Task messages as stock Celery writes them (protocol 2, kombu's Redis envelope), without a Celery app.

A test compares the outcome with what ``send_task`` puts on the list, so that stock workers can read ours.
"""

import base64
import json
import os
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from kombu.utils.json import dumps

_REPR_MAX = 1024


def encode(
    *,
    id: str,
    task: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    queue: str,
    priority: int,
    due: float | None = None,
    expires: float | None = None,
    root_id: str | None = None,
    parent_id: str | None = None,
    ignore_result: bool = False,
    headers: Mapping[str, Any] | None = None,
) -> str:
    """Return the JSON that goes on the queue's list.

    *due* and *expires* are seconds since the epoch. *headers* are further message headers; they cannot replace
    Celery's own. Values that kombu's JSON cannot carry raise :class:`TypeError`.
    """
    body = dumps((list(args), dict(kwargs), {"callbacks": None, "errbacks": None, "chain": None, "chord": None}))
    envelope = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            **(headers or {}),
            "lang": "py",
            "task": task,
            "id": id,
            "shadow": None,
            "eta": _iso(due),
            "expires": _iso(expires),
            "group": None,
            "group_index": None,
            "retries": 0,
            "timelimit": [None, None],
            "root_id": root_id or id,
            "parent_id": parent_id,
            "argsrepr": _repr(args),
            "kwargsrepr": _repr(kwargs),
            "origin": _origin(),
            "ignore_result": ignore_result,
            "replaced_task_nesting": 0,
            "stamped_headers": None,
            "stamps": {},
        },
        "properties": {
            "correlation_id": id,
            "reply_to": "",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": priority,
            "body_encoding": "base64",
            "delivery_tag": id,
        },
    }
    return json.dumps(envelope)


def lonely_tails() -> list[str]:
    """Return how the base64 body of a message ends whose run nobody waits for: no callback, errback, chain or chord.

    The end of a body looks different by where in a group of three bytes it begins, hence three of them. So a script
    can tell without reading the body.
    """
    tail = dumps([{"callbacks": None, "errbacks": None, "chain": None, "chord": None}]).encode()[1:]
    return [base64.b64encode(b"?" * shift + tail).decode()[4 if shift else 0 :] for shift in range(3)]


class Contents(NamedTuple):
    """What a message says, as JSON: kombu's ``__type__`` envelopes stay as they are."""

    headers: dict[str, Any]
    args: list[Any]
    kwargs: dict[str, Any]
    embed: dict[str, Any]
    """Callbacks, errbacks, chain and chord."""


def read(text: str | bytes) -> Contents:
    """Read a message, of a stock producer's or our own.

    Raises:
        ValueError: it is no JSON message of Celery's protocol 2; says what is wrong with it.
    """
    try:
        envelope = json.loads(text)
        body = envelope["body"]
        if envelope["properties"].get("body_encoding") == "base64":
            body = base64.b64decode(body)
        parts = envelope["headers"], json.loads(body)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"it is no task message of protocol 2 in JSON: {error!r}") from error
    match parts:
        case (dict() as headers, [list() as args, dict() as kwargs, embed]):
            return Contents(headers, args, kwargs, embed or {})
        case _:
            raise ValueError("it is no task message of protocol 2: its arguments are not a list and an object")


def plain(value: Any) -> Any:
    """Return *value* with the text in kombu's ``__type__`` envelopes in their place, as a caller would write it."""
    match value:
        case {"__type__": str(), "__value__": inner, **rest} if not rest:
            return inner
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


def with_arguments(text: str | bytes, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return the message *text* with other arguments, all else as it was.

    *args* and *kwargs* may hold what kombu's JSON can carry, its envelopes included.

    Raises:
        ValueError: as :func:`read` does.
    """
    contents = read(text)
    envelope = json.loads(text)
    body = dumps([list(args), dict(kwargs), contents.embed])
    envelope["body"] = base64.b64encode(body.encode()).decode()
    envelope["content-encoding"] = "utf-8"
    envelope["properties"]["body_encoding"] = "base64"
    envelope["headers"] |= {"argsrepr": _repr(list(args)), "kwargsrepr": _repr(dict(kwargs))}
    return json.dumps(envelope)


def envelope(
    body: bytes | str,
    content_type: str,
    content_encoding: str,
    headers: Mapping[str, Any],
    properties: Mapping[str, Any],
    queue: str,
) -> dict[str, Any]:
    """Return what kombu's Redis transport puts on *queue*'s list for a body that is serialized already."""
    data = body.encode() if isinstance(body, str) else body
    return {
        "body": base64.b64encode(data).decode(),
        "content-encoding": content_encoding,
        "content-type": content_type,
        "headers": dict(headers),
        "properties": {
            "priority": 0,
            **properties,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "body_encoding": "base64",
            "delivery_tag": headers["id"],
        },
    }


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _REPR_MAX else text[: _REPR_MAX - 3] + "..."


@cache
def _host() -> str:
    return socket.gethostname()


def _origin() -> str:
    return f"celeriac{os.getpid()}@{_host()}"


def milliseconds(time: str | None) -> int:
    """Return an ISO 8601 time, as message headers carry it, in milliseconds since the epoch; 0 for none.

    A time without an offset is UTC.
    """
    if not time:
        return 0
    when = datetime.fromisoformat(time)
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


def readable_id(message: bytes) -> str:
    """Return the run id of a message that cannot be decoded as a whole; empty when not even that can be read."""
    try:
        return str(json.loads(message)["headers"]["id"])
    except (ValueError, KeyError, TypeError):
        return ""
