"""The id by which a request is found again in logs, messages and records."""

import re
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import Scope

HEADER = "X-Request-ID"
_KEY = "celeriac.request_id"
_ACCEPTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def assign_request_id(scope: Scope) -> str:
    """Take the caller's id if it is a plain word of at most 128 characters, or make one."""
    given = Headers(scope=scope).get(HEADER, "")
    scope[_KEY] = given if _ACCEPTED.fullmatch(given) else uuid4().hex
    return request_id_of(scope)


def request_id_of(scope: Scope) -> str:
    """Return the id that :func:`assign_request_id` gave."""
    return str(scope[_KEY])
