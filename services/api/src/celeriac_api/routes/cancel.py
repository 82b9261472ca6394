"""``/v1/tasks/…/cancel``: cancel one run, or all that match a filter."""

from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from celeriac import cancel
from celeriac.cancel import Outcome
from celeriac.errors import InvalidError
from celeriac.states import State
from celeriac_api.openapi import problems
from celeriac_api.problem import Problem
from celeriac_api.resources import Api
from celeriac_api.route import router as new_router
from celeriac_api.timestamp import LONGEST_SECONDS

router = new_router("tasks")

_REASON = "cancelled by request"
Waiting = Literal["scheduled", "queued", "running", "retrying", "requeued"]


class How(BaseModel):
    """What a cancellation may say beside which runs it means."""

    model_config = ConfigDict(extra="forbid")

    terminate: bool = Field(
        default=False, description="Kill the process of one that runs (prefork) instead of asking it to stop."
    )
    reason: str = Field(default=_REASON, min_length=1, max_length=500, description="Shown with the run.")


class CancelRequest(How):
    """Which runs to cancel; at least one of name, queue, states and older_than. All that are named must match."""

    name: str | None = Field(default=None, max_length=255, description="A task.")
    queue: str | None = Field(default=None, max_length=255)
    states: list[Waiting] = Field(default=[], description="None named means all that are not final.")
    older_than: float = Field(
        default=0, ge=0, le=LONGEST_SECONDS, description="Only runs submitted at least this many seconds ago."
    )


class Cancellation(BaseModel):
    """What became of a request to cancel a run."""

    id: str
    outcome: Outcome = Field(
        description="cancelled: it waited, and will not run. requested: a worker has it and was told; follow the run."
    )


class CancelledMany(BaseModel):
    """What became of a request to cancel runs by filter."""

    cancelled: int = Field(description="Runs that waited, and will not run.")
    requested: int = Field(description="Runs that a worker has, and was told to stop.")


@router.post(
    "/tasks/{id}/cancel",
    summary="Cancel a run",
    response_description="It waited and is cancelled.",
    responses={
        202: {"model": Cancellation, "description": "A worker has it and was told: follow the run."},
        409: {"model": Problem, "description": "The run has ended."},
        **problems(404, 422, 503),
    },
)
async def cancel_task(id: str, how: Annotated[How, Query()], api: Api, response: Response) -> Cancellation:
    """A run that waits never starts, whether or not a worker is up. One that runs ends when its task stops."""
    outcome = await api.store.run(
        lambda client: cancel.cancel(
            client,
            id,
            reason=how.reason,
            hard=how.terminate,
            keep_seconds=api.settings.result.expires_seconds,
        )
    )
    if outcome is Outcome.REQUESTED:
        response.status_code = 202
    return Cancellation(id=id, outcome=outcome)


@router.post(
    "/tasks/cancel",
    summary="Cancel runs by filter",
    response_description="What was done.",
    responses=problems(503, body=True),
)
async def cancel_tasks(body: CancelRequest, api: Api) -> CancelledMany:
    """Goes from the oldest run to the newest, in batches. After a 503 some are cancelled: repeat the request."""
    if not (body.name or body.queue or body.states or body.older_than):
        raise InvalidError("name at least one of name, queue, states and older_than")
    chosen = cancel.Filter(
        task=body.name,
        queue=body.queue,
        states=[State(state) for state in body.states],
        older_than=body.older_than,
    )
    done = CancelledMany(cancelled=0, requested=0)
    cursor = await api.store.run(lambda client: cancel.begin(client, chosen))
    while cursor is not None:
        step = partial(
            cancel.advance,
            filter_=chosen,
            cursor=cursor,
            reason=body.reason,
            hard=body.terminate,
            keep_seconds=api.settings.result.expires_seconds,
        )
        batch, cursor = await api.store.run(step)
        done.cancelled += batch.cancelled
        done.requested += batch.requested
    return done
