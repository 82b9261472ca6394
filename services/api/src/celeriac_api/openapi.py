"""The API's description of itself: OpenAPI 3.1."""

from typing import Any

from fastapi import FastAPI

from celeriac_api.problem import MEDIA_TYPE, Problem

DESCRIPTION = """\
What runs is a **task** of the catalogue; a submission of it is a **run** with an id. Submit at `/v1/tasks`, follow
at `/v1/tasks/{id}`.

Every error is `application/problem+json` (RFC 9457) and says in `errors` which field is wrong. A `503` carries
`Retry-After`; repeating a submission with the same `Idempotency-Key` never runs it twice.
"""

_MEANINGS = {
    400: "The body is no JSON, or not in UTF-8.",
    404: "There is no such thing; `near` has names like an unknown one.",
    408: "The body stopped coming in.",
    409: "Another has this id, or its state does not allow this.",
    412: "It is at another version than the one named.",
    413: "The body is over the limit.",
    415: "The body is not `application/json` in UTF-8.",
    422: "A field is wrong; `errors` says which.",
    503: "Redis cannot serve now. Repeat after `Retry-After` seconds.",
}
_BODY_ERRORS = (400, 408, 413, 415, 422)


def problems(*statuses: int, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return a route's ``responses`` for the errors it can answer; *body* adds those of a route that reads one."""
    return {
        status: {"model": Problem, "description": _MEANINGS[status]}
        for status in sorted({*statuses, *(_BODY_ERRORS if body else ())})
    }


def install(app: FastAPI) -> None:
    """Make *app* describe its errors as they are sent."""
    generate = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            for operations in schema["paths"].values():
                for operation in operations.values():
                    _describe_errors(operation["responses"])
            for unused in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(unused, None)
        return generate()

    app.openapi = described  # type: ignore[method-assign] # the way FastAPI documents


def _describe_errors(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) < 400:
            continue
        content = response.get("content", {})
        if "application/json" in content:
            response["content"] = {MEDIA_TYPE: content["application/json"]}
        if int(status) == 503:
            response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
