"""Celery from a FastAPI app of your own: submit, ask for the state, and choose between simple and complex work.

Only tasks' names, queues and arguments are used here: this process runs none of them. Its endpoints are ``async def``
and never block, since the client speaks asyncio and has a deadline.
"""

from typing import Annotated, Any

from celery import Celery
from fastapi import APIRouter, BackgroundTasks, Depends, Header
from pydantic import BaseModel

from celeriac.fastapi import BackgroundDependency, CeleryDependency, ClientDependency
from celeriac.states import State
from cookbook.patterns.basic import process_data
from cookbook.patterns.steps import process_item
from cookbook.web.background import Message, log_action

router = APIRouter(tags=["jobs"])

IdempotencyKey = Annotated[str | None, Header(max_length=200)]


class Submitted(BaseModel):
    """A run that has been accepted."""

    task_id: str
    status_url: str


class Status(BaseModel):
    """A run as it stands. *error* says why a failed one failed."""

    task_id: str
    task: str
    state: State
    attempts: int
    error: str | None = None


def submitted(task_id: str) -> Submitted:
    """Return the answer for an accepted run."""
    return Submitted(task_id=task_id, status_url=f"/tasks/{task_id}")


@router.post("/process", status_code=202)
async def process(
    data: dict[str, Any], client: ClientDependency, idempotency_key: IdempotencyKey = None
) -> Submitted:
    """Submit a task. The same ``Idempotency-Key`` again is the same run."""
    return submitted(await client.submit(process_data.s(data), key=idempotency_key))


@router.get("/tasks/{task_id}")
async def status(task_id: str, client: ClientDependency, wait: float = 0) -> Status:
    """Tell how a run stands; an unknown one is 404. With ``wait``, answer when it has ended or after that time."""
    record = await client.wait(task_id, min(wait, 30))
    error = record.reason
    if record.error and record.state is not State.SUCCEEDED:  # one that was retried still has its last error
        error = f"{record.error['type']}: {record.error['message']}"
    return Status(task_id=task_id, task=record.task, state=record.state, attempts=record.retries + 1, error=error)


@router.post("/send/{name}", status_code=202)
def send(name: str, args: list[Any], celery: CeleryDependency) -> Submitted:
    """Send any task by name with Celery's own call. ``def``, not ``async def``: FastAPI runs it in a thread."""
    return submitted(str(celery.send_task(name, args=args).id))


def get_app(celery: CeleryDependency) -> Celery:
    """Show that the Celery app is a dependency like any other: a test may override it."""
    return celery


@router.get("/queues")
async def queues(celery: Annotated[Celery, Depends(get_app)]) -> list[str]:
    """List the queues that exist."""
    return sorted(celery.amqp.queues)


@router.post("/simple", status_code=202)
async def simple(message: str, background: BackgroundTasks) -> Message:
    """Do a moment's work after the response: a log line is worth no queue."""
    background.add_task(log_action, message)
    return Message(message="logged")


@router.post("/complex", status_code=202)
async def complex_work(data: dict[str, Any], client: ClientDependency) -> Submitted:
    """Hand long work over: it may be retried, run elsewhere, and outlive this process."""
    return submitted(await client.submit(process_item.s(data)))


@router.post("/handover", status_code=202)
async def handover(item: dict[str, Any], background: BackgroundDependency) -> dict[str, str | None]:
    """Call both in the same way: which of them is a Celery task is said where the function is, not here."""
    await background.add_task(log_action, "handing over")
    return {"task_id": await background.add_task(process_item, item)}
