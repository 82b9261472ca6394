"""Routes that read their body strictly."""

import asyncio
from collections.abc import Callable, Coroutine
from email.message import Message
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from celeriac_api import strict_json
from celeriac_api.problem import RequestError

LARGE_BODY_BYTES = 32_768
"""Bodies over this are read in a thread: a long parse must not hold up the other requests."""


class StrictRequest(Request):
    """A request whose JSON is read by :mod:`celeriac_api.strict_json`."""

    async def json(self) -> Any:
        """Return the body's value, read once."""
        if not hasattr(self, "_json"):
            body = await self.body()
            if len(body) > LARGE_BODY_BYTES:
                self._json = await asyncio.to_thread(strict_json.parse, body)
            else:
                self._json = strict_json.parse(body)
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its JSON body before FastAPI does, which would answer each fault with the same 400."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler behind the reading of the body."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler
        optional = not self.body_field.field_info.is_required()

        async def strict(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            if optional and not await request.body():
                return await handler(request)
            _check_media_type(request)
            await request.json()
            return await handler(request)

        return strict


def router(tag: str) -> APIRouter:
    """Return a router of ``/v1`` whose operations go under *tag* in the API's description."""
    return APIRouter(prefix="/v1", tags=[tag], route_class=StrictRoute)


def _check_media_type(request: Request) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    charset = header.get_param("charset", "utf-8")
    if header.get_content_type() != "application/json" or str(charset).lower() not in ("utf-8", "utf8"):
        _unsupported("The body must be application/json in UTF-8: set the header Content-Type.")
    if request.headers.get("content-encoding", "identity") != "identity":
        _unsupported("The body must be sent without Content-Encoding.")


def _unsupported(detail: str) -> None:
    raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail)
