"""Errors as problem+json (RFC 9457): one shape for every answer that is no success."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from celeriac.catalog.arguments import MAX_FAULTS
from celeriac.errors import CeleriacError, InvalidError, UnavailableError, UnknownTaskError, pointer
from celeriac_api.json_response import dump
from celeriac_api.request_id import request_id_of

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1

Where = Literal["body", "query", "path", "header"]


class ParameterError(InvalidError):
    """A query parameter or header is wrong."""

    def __init__(self, message: str, name: str, where: Where) -> None:
        super().__init__(message, f"/{name}")
        self.where = where


class RequestError(CeleriacError):
    """The request itself cannot be read: its encoding, media type or size."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.http_status = status
        self.problem_code = code


class FieldProblem(BaseModel):
    """One thing that is wrong with the request, and where."""

    model_config = ConfigDict(populate_by_name=True)

    where: Where = Field(alias="in", description="Part of the request.")
    path: str = Field(description="JSON pointer (RFC 6901) into that part.", examples=["/kwargs/year"])
    detail: str = Field(description="What is wrong.", examples=['"x" is not of type "integer"'])


class Problem(BaseModel):
    """What went wrong, as problem+json (RFC 9457)."""

    type: str = Field(description="Names the kind of problem.", examples=["urn:celeriac:problem:invalid"])
    title: str = Field(description="The status in words.", examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(description="What is wrong and what to do.", examples=['"x" is not of type "integer"'])
    code: str = Field(description="The kind of problem, for programs.", examples=["invalid"])
    request_id: str = Field(description="Also in the answer's X-Request-ID and in the logs.", examples=["4f1c…"])
    errors: list[FieldProblem] | None = Field(default=None, description="All that is wrong with the input.")
    near: list[str] | None = Field(default=None, description="Names like the unknown one.")

    @classmethod
    def of(cls, status: int, code: str, detail: str, request_id: str, **members: Any) -> bytes:
        """Return the JSON of a problem; *members* are further fields."""
        made = cls(
            type=f"urn:celeriac:problem:{code}",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            code=code,
            request_id=request_id,
            **members,
        )
        return dump(made.model_dump(by_alias=True, exclude_none=True))


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return the answer that reports a problem; *members* are further fields of :class:`Problem`."""
    body = Problem.of(status, code, detail, request_id_of(request.scope), **members)
    return Response(body, status, headers, MEDIA_TYPE)


async def on_celeriac_error(request: Request, error: Exception) -> Response:
    """Answer an error of ours by its kind."""
    if isinstance(error, RequestError):
        return problem(request, error.http_status, error.problem_code, str(error))
    if isinstance(error, InvalidError):
        where: Where = error.where if isinstance(error, ParameterError) else "body"
        fields = [FieldProblem(where=where, path=fault.path, detail=fault.message) for fault in error.faults]
        near = list(error.near) if isinstance(error, UnknownTaskError) else None
        return problem(request, error.status, error.code, str(error), errors=fields, near=near)
    if isinstance(error, UnavailableError):
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return problem(request, error.status, error.code, str(error), headers)
    assert isinstance(error, CeleriacError)  # noqa: S101 what this handler is registered for
    return problem(request, error.status, error.code, str(error))


async def on_validation_error(request: Request, error: Exception) -> Response:
    """Answer what pydantic found wrong with the body, a parameter or a header."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 what this handler is registered for
    fields = [_field(fault["loc"], fault["msg"]) for fault in error.errors()[:MAX_FAULTS]]
    first = fields[0]
    detail = f"{first.path or first.where}: {first.detail}"
    return problem(request, 422, InvalidError.code, detail, errors=fields)


def _field(location: Sequence[str | int], message: str) -> FieldProblem:
    where, *path = location
    return FieldProblem.model_validate(
        {"in": where, "path": pointer(path), "detail": message.removeprefix("Value error, ")}
    )


def _methods(request: Request) -> list[str]:
    """Return the methods of the request's path, over all routes that share it."""
    routes: Sequence[APIRoute] = request.app.state.routes
    return sorted({m for r in routes if r.matches(request.scope)[0] is not Match.NONE for m in r.methods or ()})


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what routing refuses: an unknown path, a method that a path does not have."""
    assert isinstance(error, HTTPException)  # noqa: S101 what this handler is registered for
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(request, 404, "no-such-path", f"There is nothing at {request.url.path!r:.300}.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        detail = f"{request.method} is not for {request.url.path!r:.300}; use {allowed}."
        return problem(request, 405, "method-not-allowed", detail, {"Allow": allowed})
    return problem(request, error.status_code, "http", str(error.detail), error.headers)
