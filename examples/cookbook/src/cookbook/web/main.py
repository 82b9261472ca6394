"""The cookbook's own web app: ``uvicorn --factory cookbook.web.main:create_app``."""

from fastapi import FastAPI

from celeriac.fastapi import handle_errors, lifespan
from celeriac.settings import Settings, load
from cookbook.web import background, canvas, jobs


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the app. *settings* come from the environment unless given."""
    app = FastAPI(title="Cookbook", lifespan=lifespan(settings or load()))
    handle_errors(app)
    for module in (background, jobs, canvas):
        app.include_router(module.router)
    return app
