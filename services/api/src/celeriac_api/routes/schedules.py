"""``/v1/schedules``: rules that submit tasks at times."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import redis.asyncio
from fastapi import Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from celeriac import keys
from celeriac.errors import ConflictError
from celeriac.schedule.fault import check_time
from celeriac.schedule.preview import preview
from celeriac.schedule.store import Schedules
from celeriac.schedule.stored import Event, Stored
from celeriac.states import State
from celeriac_api.openapi import problems
from celeriac_api.resources import Api, Resources
from celeriac_api.route import router as new_router
from celeriac_api.schedule_input import (
    DefinitionBody,
    IfMatch,
    IfNoneMatch,
    NewBody,
    PauseRequest,
    ResumeRequest,
    check,
    etag,
    version_of,
)
from celeriac_api.schedule_view import Asked, Coming, History, Past, Preview, Schedule, SchedulePage

T = TypeVar("T")

router = new_router("schedules")

_TAGGED = {"headers": {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}}


class Listing(BaseModel):
    """Query of the list."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(default=None, max_length=200, description="Begin after this id.")
    limit: int = Field(default=50, ge=1, le=500)


class Ahead(BaseModel):
    """Query of a preview."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=10, ge=1, le=100, description="Fires to show.")


def _check_kept_in_redis(api: Resources) -> None:
    if api.settings.scheduler.backend == "database":
        raise ConflictError("Schedules are kept in a database (CELERIAC_SCHEDULER_BACKEND): change its rows instead")


async def _with(api: Resources, action: Callable[[Schedules], Awaitable[T]]) -> T:
    """Return what *action* does to the schedules, within the deadline of a request."""
    _check_kept_in_redis(api)
    timezone, keep = api.settings.scheduler.timezone, api.settings.result.expires_seconds

    def act(client: redis.asyncio.Redis) -> Awaitable[T]:
        return action(Schedules(client, timezone, keep))

    return await api.store.run(act)


def _shown(stored: Stored, response: Response) -> Schedule:
    response.headers["ETag"] = etag(stored.version)
    response.headers["Cache-Control"] = "no-store"
    return Schedule.of(stored)


@router.get("/schedules", summary="List schedules", responses=problems(422, 503))
async def list_schedules(query: Annotated[Listing, Query()], api: Api) -> SchedulePage:
    """All schedules in order of their ids, paused ones and ended ones too."""
    page = await _with(api, lambda schedules: schedules.page(query.after, query.limit))
    return SchedulePage(items=[Schedule.of(stored) for stored in page.schedules], next=page.after)


@router.post(
    "/schedules",
    status_code=201,
    summary="Make a schedule",
    responses={201: _TAGGED, **problems(409, 503, body=True)},
)
async def create_schedule(body: NewBody, api: Api, response: Response) -> Schedule:
    """Check task, arguments and times, and make the schedule. Its first fire is later than now."""
    checked = await check(api, body.definition)
    stored = await _with(api, lambda schedules: schedules.create(body.id, body.definition, checked.arguments))
    response.headers["Location"] = f"/v1/schedules/{stored.id}"
    return _shown(stored, response)


@router.post("/schedules/preview", summary="Preview a schedule not yet made", responses=problems(503, body=True))
async def preview_definition(body: DefinitionBody, query: Annotated[Ahead, Query()], api: Api) -> Preview:
    """The fires it would have, with a word wherever clocks are put forward or back. Nothing is stored."""
    await check(api, body)
    now = await _with(api, lambda schedules: schedules.now())
    settled = body.settled(now, api.settings.scheduler.timezone)
    check_time(settled, now)
    return Preview(fires=[Coming.of(fire) for fire in preview(settled, now, query.count)])


@router.get("/schedules/{id}", summary="Show a schedule", responses={200: _TAGGED, **problems(404, 503)})
async def get_schedule(id: str, api: Api, response: Response) -> Schedule:
    """The schedule and where it stands."""
    return _shown(await _with(api, lambda schedules: schedules.get(id)), response)


@router.put(
    "/schedules/{id}",
    summary="Replace or make a schedule",
    responses={200: _TAGGED, **problems(409, 412, 503, body=True)},
)
async def put_schedule(
    id: str,
    body: DefinitionBody,
    api: Api,
    response: Response,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Schedule:
    """Replace the definition. The next fire stays when the times do; a pause stays."""
    version = 0 if (if_none_match or "").strip() == "*" else version_of(if_match)
    checked = await check(api, body)
    stored = await _with(api, lambda schedules: schedules.replace(id, body, checked.arguments, version))
    return _shown(stored, response)


@router.delete(
    "/schedules/{id}", status_code=204, summary="Remove a schedule", responses=problems(404, 409, 412, 422, 503)
)
async def delete_schedule(
    id: str,
    api: Api,
    if_match: IfMatch = None,
    anyway: Annotated[
        bool, Query(description="Even one declared in code, such as a removed worker group has left behind.")
    ] = False,
) -> None:
    """Remove it and its history. Runs it has submitted go on."""
    version = version_of(if_match)
    await _with(api, lambda schedules: schedules.delete(id, version, anyway=anyway))


@router.post(
    "/schedules/{id}/pause",
    summary="Pause a schedule",
    responses={200: _TAGGED, **problems(404, 412, 503, body=True)},
)
async def pause_schedule(
    id: str, body: PauseRequest, api: Api, response: Response, if_match: IfMatch = None
) -> Schedule:
    """Stop its fires until it is resumed. One declared in code can be paused too, and stays so over deployments."""
    version = version_of(if_match)
    return _shown(await _with(api, lambda schedules: schedules.pause(id, body.reason, version)), response)


@router.post(
    "/schedules/{id}/resume",
    summary="Let a paused schedule go on",
    responses={200: _TAGGED, **problems(404, 412, 503, body=True)},
)
async def resume_schedule(
    id: str, api: Api, response: Response, body: ResumeRequest | None = None, if_match: IfMatch = None
) -> Schedule:
    """Its catch-up policy decides about the fires that the pause missed, unless the body says 'none'."""
    version, catch_up = version_of(if_match), body.catch_up if body else None
    return _shown(await _with(api, lambda schedules: schedules.resume(id, catch_up, version)), response)


@router.post(
    "/schedules/{id}/run",
    status_code=202,
    summary="Run a schedule now",
    responses=problems(404, 409, 422, 503),
)
async def run_schedule(
    id: str,
    api: Api,
    response: Response,
    anyway: Annotated[bool, Query(description="Even beside a run that its overlap policy would wait for.")] = False,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", min_length=1, max_length=255, description="The same key is the same run."),
    ] = None,
) -> Asked:
    """Submit a run beside its own fires, which stay as they are. A paused schedule can be run too."""
    stored = await _with(api, lambda schedules: schedules.get(id))
    checked = await check(api, stored.definition)
    run = await _with(api, lambda schedules: schedules.run_now(id, checked.target, key=key, anyway=anyway))
    response.headers["Location"] = f"/v1/tasks/{run}"
    return Asked(run=run)


@router.get("/schedules/{id}/history", summary="Show the last fires", responses=problems(404, 503))
async def schedule_history(id: str, api: Api) -> History:
    """What became of the last 100 fires, with the state of their runs."""

    async def read(client: redis.asyncio.Redis) -> tuple[list[Event], list[bytes | None]]:
        schedules = Schedules(client, api.settings.scheduler.timezone, api.settings.result.expires_seconds)
        await schedules.get(id)
        events = await schedules.history(id)
        async with client.pipeline(transaction=False) as pipeline:
            for event in events:
                pipeline.hget(keys.RUN + (event.run or ""), "state")
            return events, await pipeline.execute()

    _check_kept_in_redis(api)
    events, states = await api.store.run(read)
    return History(
        items=[
            Past.of(event, None if state is None else State(state.decode()))
            for event, state in zip(events, states, strict=True)
        ]
    )


@router.get("/schedules/{id}/preview", summary="Preview the next fires", responses=problems(404, 422, 503))
async def preview_schedule(id: str, query: Annotated[Ahead, Query()], api: Api) -> Preview:
    """The next fires, with a word wherever clocks are put forward or back."""
    now = await _with(api, lambda schedules: schedules.now())
    stored = await _with(api, lambda schedules: schedules.get(id))
    start = now if stored.next is None or stored.next > now else stored.next - 1
    return Preview(fires=[Coming.of(fire) for fire in preview(stored.definition, start, query.count)])
