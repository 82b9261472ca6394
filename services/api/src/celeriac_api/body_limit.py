"""The largest request body, and the longest time for it to come in."""

import asyncio
from http import HTTPStatus

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from celeriac_api.problem import RequestError, on_celeriac_error


class BodyLimit:
    """Answers 413 to a body over *max_bytes*: at once when its length is announced, else as soon as it has passed.

    A body that stops coming in for *seconds* is 408: a caller that falls silent holds no memory for ever.

    Starlette's own limit answers in plain text, where this API has one shape for every error.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            response = await on_celeriac_error(Request(scope), self._too_large())
            await response(scope, receive, send)
            return
        received, more = 0, True

        async def counted() -> Message:
            nonlocal received, more
            try:
                async with asyncio.timeout(self._seconds if more else None):
                    message = await receive()
            except TimeoutError as error:
                raise self._too_slow() from error
            received += len(message.get("body", b""))
            more = message.get("more_body", False)
            if received > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, counted, send)

    def _too_slow(self) -> RequestError:
        detail = f"Nothing of the body came in for {self._seconds:g} s."
        return RequestError(HTTPStatus.REQUEST_TIMEOUT, "too-slow", detail)

    def _too_large(self) -> RequestError:
        return RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"The body is over {self._max_bytes} bytes."
        )
