"""The HTTP protocol of the server."""

from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from celeriac_api.problem import MEDIA_TYPE, Problem


class Protocol(HttpToolsProtocol):
    """Answers what is not even HTTP (a made-up method, a broken header) in the shape of all other errors."""

    def send_400_response(self, msg: str) -> None:
        """Write the answer to the socket, for there is no request that the application could answer."""
        body = Problem.of(400, "malformed", msg, uuid4().hex)
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
