"""The HTTP API as the commands use it."""

import time
from types import TracebackType
from typing import Annotated, Any, Self

import httpx
import typer

from celeriac.settings import load

TIMEOUT_SECONDS = 10.0
MAX_WAIT_SECONDS = 20.0
"""Longest single wait asked of the API; a longer one is asked for in turns."""

Url = Annotated[
    str | None,
    typer.Option("--api", metavar="URL", help="Where the API is; by default CELERIAC_API_URL.", show_default=False),
]
"""The option that every command talking to the API takes."""


class ApiError(Exception):
    """The API cannot be reached, or refused; the message is for the person at the terminal."""


class Api:
    """Requests to one API. Every one has a deadline."""

    def __init__(self, url: str | None = None) -> None:
        self.url = (url or load().api.url).rstrip("/")
        self._client = httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON at *path*."""
        return self.send("GET", path, params=params)

    def post(self, path: str, body: Any) -> Any:
        """Post *body* as JSON and return the answer."""
        return self.send("POST", path, json=body)

    def send(self, method: str, path: str, **options: Any) -> Any:
        """Send one request and return the answer's JSON, None without a body.

        Raises:
            ApiError: there is no answer, or it is not a success; with what the problem said, field by field.
        """
        try:
            response = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise ApiError(
                f"No answer from {self.url} ({error}): start it (make dev), or name another one with --api"
            ) from error
        if response.is_success:
            return response.json() if response.content else None
        raise ApiError(_explain(response))

    def follow(self, id: str, deadline: float | None = None, pause: float = MAX_WAIT_SECONDS) -> dict[str, Any]:
        """Return the run *id* when it has ended, or changed nothing for *pause* seconds, or *deadline* has passed."""
        wait = pause if deadline is None else max(0.0, min(pause, deadline - time.monotonic()))
        options = {"params": {"wait": wait}, "timeout": wait + TIMEOUT_SECONDS}
        run: dict[str, Any] = self.send("GET", f"/v1/tasks/{id}", **options)
        return run


def _explain(response: httpx.Response) -> str:
    try:
        problem = response.json()
    except ValueError:
        return f"{response.request.url} answered {response.status_code}: {response.text[:200]}"
    faults = problem.get("errors") or []
    if not faults:
        return str(problem.get("detail") or problem.get("title") or response.status_code)
    return "\n".join(f"{fault['path'] or fault['in']}: {fault['detail']}" for fault in faults)
