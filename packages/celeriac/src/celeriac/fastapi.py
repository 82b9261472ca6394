"""Celeriac in a FastAPI app of your own: a client that lives as long as the app, as a dependency.

::

    app = FastAPI(lifespan=lifespan(settings))

    @app.post("/reports", status_code=202)
    async def report(year: int, client: ClientDependency) -> str:
        return await client.submit(make_report.s(year))
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

from celery import Celery
from celery.app.task import Task
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from celeriac.client import Client
from celeriac.errors import CeleriacError, ConfigurationError, InvalidError
from celeriac.settings import Settings

RETRY_AFTER_SECONDS = 1


def lifespan(
    settings: Settings, app: Celery | None = None
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    """Return a lifespan that opens a :class:`Client` and turns Celeriac's errors into answers.

    It reaches for nothing at start, so that the app comes up while Redis is away. An app with a lifespan of its own
    enters this one inside it.
    """

    @asynccontextmanager
    async def run(web: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        client = Client(settings, app)
        client.app.set_default()  # so that shared tasks are this app's
        try:
            yield {"celeriac": client}
        finally:
            await client.aclose()

    return run


def handle_errors(app: FastAPI) -> None:
    """Make *app* answer Celeriac's errors as RFC 9457 problems: 422, 404, 409, and 503 with ``Retry-After``."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, CeleriacError):
            raise error
        problem: dict[str, Any] = {"title": error.code, "status": error.status, "detail": str(error)}
        if isinstance(error, InvalidError) and error.path:
            problem["path"] = error.path
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.status == 503 else None
        return JSONResponse(problem, error.status, headers, media_type="application/problem+json")

    app.add_exception_handler(CeleriacError, answer)


def get_client(request: Request) -> Client:
    """Return the app's client.

    Raises:
        ConfigurationError: the app was made without :func:`lifespan`.
    """
    client = getattr(request.state, "celeriac", None)
    if not isinstance(client, Client):
        raise ConfigurationError(
            "No client is open: create the app with FastAPI(lifespan=celeriac.fastapi.lifespan(…))"
        )
    return client


ClientDependency = Annotated[Client, Depends(get_client)]


def get_celery(client: ClientDependency) -> Celery:
    """Return the Celery app, for plain ``def`` endpoints: they run in a thread, where ``.delay()`` may block."""
    return client.app


CeleryDependency = Annotated[Celery, Depends(get_celery)]


class Background:
    """``BackgroundTasks`` whose functions can become Celery tasks without a change where they are called.

    A plain function runs in this process after the response. A Celery task is submitted *before* the response, so
    that a caller who was told yes can rely on it, and one who was told 503 can try again.
    """

    def __init__(self, tasks: BackgroundTasks, client: ClientDependency) -> None:
        self._tasks = tasks
        self._client = client

    async def add_task(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> str | None:
        """Plan *function*; return the id of its run when it is a Celery task, else None."""
        if isinstance(function, Task):
            return await self._client.submit(function.s(*args, **kwargs))
        self._tasks.add_task(function, *args, **kwargs)
        return None


BackgroundDependency = Annotated[Background, Depends()]
