"""The application: routes, middleware, error handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from celeriac.errors import CeleriacError
from celeriac.settings import Settings
from celeriac_api import openapi
from celeriac_api.body_limit import BodyLimit
from celeriac_api.closing import Closing
from celeriac_api.json_response import AsciiJSONResponse
from celeriac_api.metrics import Metrics
from celeriac_api.observe import Observe
from celeriac_api.problem import on_celeriac_error, on_http_error, on_validation_error
from celeriac_api.resources import Resources
from celeriac_api.routes import artifacts, cancel, catalog, dead_letters, health, metrics, schedules, tasks

ROUTERS = (
    tasks.router,
    cancel.router,
    artifacts.router,
    schedules.router,
    catalog.router,
    dead_letters.router,
    health.router,
    metrics.router,
)
"""All route families, in the order of the API's description."""


def create_app(settings: Settings) -> FastAPI:
    """Return the API. It connects to Redis when it is served, and is served even when Redis is away."""
    meters = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Resources(settings, meters).open() as resources:
            app.state.resources = resources
            yield

    app = FastAPI(
        title="Celeriac",
        summary="Submit, watch and list Celery tasks over HTTP.",
        description=openapi.DESCRIPTION,
        version=version("celeriac-api"),
        lifespan=lifespan,
        redirect_slashes=False,
        default_response_class=AsciiJSONResponse,
        middleware=[
            Middleware(Observe, metrics=meters),
            Middleware(Closing),
            Middleware(BodyLimit, max_bytes=settings.api.max_body_bytes, seconds=settings.api.body_timeout_seconds),
        ],
        exception_handlers={
            CeleriacError: on_celeriac_error,
            RequestValidationError: on_validation_error,
            HTTPException: on_http_error,
        },
    )
    for router in ROUTERS:
        app.include_router(router)
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    openapi.install(app)
    return app
