"""``/v1/tasks/{id}/artifacts``: files that a run handed over."""

from typing import Any

from fastapi import Response

from celeriac import keys
from celeriac.errors import NotFoundError
from celeriac_api.long_poll import run_of
from celeriac_api.openapi import problems
from celeriac_api.resources import Api
from celeriac_api.route import router as new_router

router = new_router("tasks")

_INLINE = ("image/", "text/plain", "application/json", "application/pdf")
"""Types a browser may show; others are offered for download."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "private, no-cache",
}
"""A task's file is data: whatever it says of itself, it runs no script in this API's name."""


@router.get(
    "/tasks/{id}/artifacts/{name}",
    summary="Fetch a file of a run",
    response_class=Response,
    responses={
        200: {
            "description": "The file, with the content type its task gave it.",
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(404, 503),
    },
)
async def get_artifact(id: str, name: str, api: Api) -> Response:
    """Files that the task returned under `artifacts`; the run's result lists them. They expire with it."""
    fields = [name, f"{name}:type"]
    found: list[Any] = await api.store.run(lambda client: client.hmget(keys.ARTIFACT + id, fields))
    data, content_type = found
    if data is None or content_type is None:
        await run_of(api, id)
        raise NotFoundError(f"The run {id!r:.260} has no artifact {name!r:.150}.")
    media_type = content_type.decode()
    shown = "inline" if media_type.startswith(_INLINE) else "attachment"
    headers = {**_HEADERS, "Content-Disposition": f'{shown}; filename="{name}"'}
    return Response(data, headers=headers, media_type=media_type)
