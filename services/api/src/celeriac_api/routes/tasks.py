"""``/v1/tasks``: submit a run, and follow it."""

import asyncio
from typing import Annotated, Any

from fastapi import Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from celeriac import keys
from celeriac.errors import ConflictError
from celeriac.states import State
from celeriac.submit import Accepted, Submission, submit_async
from celeriac_api.long_poll import final_run
from celeriac_api.openapi import problems
from celeriac_api.problem import ParameterError
from celeriac_api.request_id import request_id_of
from celeriac_api.resources import Api
from celeriac_api.route import LARGE_BODY_BYTES
from celeriac_api.route import router as new_router
from celeriac_api.run_view import Run
from celeriac_api.submission import FINGERPRINT, SubmitRequest, id_of_key, to_submission

router = new_router("tasks")

IDEMPOTENCY_KEY = "Idempotency-Key"


class Submitted(BaseModel):
    """An accepted run."""

    id: str = Field(examples=["5f0c7a52-8f0e-4f6e-9a3b-0d6f3f0a1c11"])
    name: str = Field(examples=["cookbook.tasks.report"])
    queue: str = Field(examples=["default"])
    priority: int = Field(examples=[3])
    state: State = Field(description="queued, or scheduled when it has to wait for its time.", examples=["queued"])


class Waiting(BaseModel):
    """Query of a run."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(
        default=0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds to wait for the run's end. The answer comes at once when it is over.",
        examples=[30],
    )


@router.post(
    "/tasks",
    status_code=202,
    summary="Submit a run",
    response_description="Accepted: record and message are written.",
    responses={
        202: {
            "headers": {
                "Location": {"description": "Where to follow the run.", "schema": {"type": "string"}},
                "Idempotency-Replayed": {
                    "description": "'true' when this id or key had made the run before.",
                    "schema": {"type": "string"},
                },
            }
        },
        **problems(404, 409, 503, body=True),
    },
)
async def submit_task(
    body: SubmitRequest,
    api: Api,
    request: Request,
    response: Response,
    key: Annotated[
        str | None,
        Header(
            alias=IDEMPOTENCY_KEY,
            min_length=1,
            max_length=255,
            description="Any word. The same request with the same key is the same run while its record is kept.",
        ),
    ] = None,
) -> Submitted:
    """Check the arguments against the catalogue, then write record and message in one step.

    The run is at Redis when the answer comes. After a 503 or a broken connection it may be, or not: repeat the
    request with the same Idempotency-Key, or the same id, and it runs once.
    """
    if key is not None and body.id is not None:
        raise ParameterError("give an id in the body or this header, not both", IDEMPOTENCY_KEY, "header")
    arguments = await api.catalog.arguments(body.name)
    id, request_id = (id_of_key(key) if key is not None else None), request_id_of(request.scope)

    def checked() -> Submission:
        return to_submission(body, arguments, api.settings, id=id, request_id=request_id)

    large = len(await request.body()) > LARGE_BODY_BYTES
    submission = await asyncio.to_thread(checked) if large else checked()
    accepted = await api.store.run(lambda client: submit_async(client, submission, api.settings.delivery))
    answer = await _answer(api, submission, accepted, key)
    api.metrics.submitted.labels(submission.task, "new" if accepted.created else "again").inc()
    response.headers["Location"] = f"/v1/tasks/{answer.id}"
    if not accepted.created:
        response.headers["Idempotency-Replayed"] = "true"
    return answer


async def _answer(api: Api, submission: Submission, accepted: Accepted, key: str | None) -> Submitted:
    """Return the first answer again when the run was there before, if it was the same request that made it."""
    first = Submitted(
        id=submission.id,
        name=submission.task,
        queue=submission.queue,
        priority=submission.priority,
        state=accepted.state,
    )
    if accepted.created:
        return first
    names = [FINGERPRINT, "queue", "priority", "due"]
    values: list[Any] = await api.store.run(lambda client: client.hmget(keys.RUN + submission.id, names))
    fingerprint, queue, priority, due = (value and value.decode() for value in values)
    if fingerprint == submission.fields[FINGERPRINT]:
        state = State.SCHEDULED if due else State.QUEUED
        return first.model_copy(update={"queue": queue, "priority": int(priority), "state": state})
    if key is not None:
        raise ParameterError("this key was used for another request", IDEMPOTENCY_KEY, "header")
    raise ConflictError(f"Another run has the id {submission.id!r}; choose another, or leave it out.")


@router.get(
    "/tasks/{id}",
    summary="Follow a run",
    response_description="The run as it is now.",
    responses=problems(404, 422, 503),
)
async def get_task(
    id: str, query: Annotated[Waiting, Query()], api: Api, request: Request, response: Response
) -> Run:
    """State, times, progress, and the result or the error. An id that nobody submitted is 404, never pending."""
    longest = api.settings.api.max_wait_seconds
    if query.wait > longest:
        raise ParameterError(f"at most {longest:g} seconds", "wait", "query")
    response.headers["Cache-Control"] = "no-store"
    return await final_run(api, id, query.wait, request)
