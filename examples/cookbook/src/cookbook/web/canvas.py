"""Batch, chain and chord over HTTP. No request waits for a result: each answers with where to look."""

from typing import Annotated, Any

from celery import chain, chord, group
from fastapi import APIRouter
from pydantic import BaseModel, Field

from celeriac.fastapi import ClientDependency
from celeriac.states import State
from cookbook.patterns.steps import aggregate, process_item, step
from cookbook.web.jobs import IdempotencyKey, Submitted

router = APIRouter(tags=["canvas"])

Items = Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


class Part(BaseModel):
    """One task of a canvas. *state* is None until what stands before it has ended."""

    task_id: str
    task: str
    state: State | None


class CanvasStatus(BaseModel):
    """The whole and its parts. *reason* names the part that failed it."""

    task_id: str
    state: State
    reason: str | None
    counts: dict[str, int]
    parts: list[Part]


def submitted(task_id: str) -> Submitted:
    """Return the answer for an accepted canvas."""
    return Submitted(task_id=task_id, status_url=f"/canvas/{task_id}")


@router.post("/process-batch", status_code=202)
async def batch(items: Items, client: ClientDependency, idempotency_key: IdempotencyKey = None) -> Submitted:
    """Process items in parallel."""
    return submitted(await client.submit(group(process_item.s(item) for item in items), key=idempotency_key))


@router.post("/process-chain", status_code=202)
async def steps(data: dict[str, Any], client: ClientDependency, idempotency_key: IdempotencyKey = None) -> Submitted:
    """Take data through three steps, one after the other."""
    return submitted(await client.submit(chain(step.s(data, 1), step.s(2), step.s(3)), key=idempotency_key))


@router.post("/process-chord", status_code=202)
async def gather(items: Items, client: ClientDependency, idempotency_key: IdempotencyKey = None) -> Submitted:
    """Process items in parallel, then put the results together."""
    work = chord(group(process_item.s(item) for item in items), aggregate.s())
    return submitted(await client.submit(work, key=idempotency_key))


@router.get("/canvas/{task_id}")
async def status(task_id: str, client: ClientDependency, wait: float = 0) -> CanvasStatus:
    """Tell how a batch, chain or chord stands, as a whole and in its parts; with ``wait``, once it has ended."""
    progress = await client.progress(task_id, min(wait, 30))
    return CanvasStatus(
        task_id=task_id,
        state=progress.outcome.state,
        reason=progress.outcome.reason,
        counts=progress.outcome.counts,
        parts=[Part(task_id=part.id, task=part.task, state=progress.states.get(part.id)) for part in progress.parts],
    )
