"""Parting from callers that keep their connections, before the process stops."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from celeriac_api.resources import Resources


class Closing:
    """While the process drains, has each connection closed with its answer.

    A connection that is closed while its caller writes the next request costs that request; one that says so with an
    answer does not, and the caller's next connection goes to a process that stays.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def parting(message: Message) -> None:
            resources: Resources = scope["app"].state.resources
            if message["type"] == "http.response.start" and resources.draining:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, parting if scope["type"] == "http" else send)
