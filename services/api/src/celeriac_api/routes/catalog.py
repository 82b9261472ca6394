"""``/v1/catalog``: the tasks that can be submitted."""

from pydantic import BaseModel

from celeriac.catalog import Entry
from celeriac_api.openapi import problems
from celeriac_api.resources import Api
from celeriac_api.route import router as new_router

router = new_router("catalog")


class Catalog(BaseModel):
    """All tasks, by name."""

    items: list[Entry]


@router.get("/catalog", summary="List the tasks", response_description="All tasks.", responses=problems(503))
async def list_catalog(api: Api) -> Catalog:
    """Tasks that workers offer, with the JSON Schema of their arguments."""
    return Catalog(items=await api.catalog.entries())


@router.get(
    "/catalog/{name}", summary="Describe a task", response_description="The task.", responses=problems(404, 503)
)
async def get_catalog_entry(name: str, api: Api) -> Entry:
    """One task; an unknown name is 404 with names like it."""
    return (await api.catalog.arguments(name)).entry
