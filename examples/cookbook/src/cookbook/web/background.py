"""FastAPI's ``BackgroundTasks``: work of a moment, done by this process once the response has gone out.

Nothing here needs Redis or a worker, and nothing here survives this process. ``docs/background-tasks.md`` says when
that is enough.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends
from pydantic import BaseModel, Field

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/background", tags=["background"])


class Message(BaseModel):
    """What the caller reads: the work is planned, not done."""

    message: str


class Email(BaseModel):
    """A mail to send."""

    subject: Annotated[str, Field(max_length=200)]
    body: Annotated[str, Field(max_length=10_000)]


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a background function log its error instead of raising it.

    One that raises would end the functions that were added after it, unheard: the response has gone out already.
    """

    @wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> None:
        try:
            await function(*args, **kwargs)
        except Exception:
            logger.exception("background function %s failed", function.__qualname__)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except Exception:
            logger.exception("background function %s failed", function.__qualname__)

    return call_async if iscoroutinefunction(function) else call


def log_action(action: str) -> None:
    """Note that something was done. A plain function runs in a thread."""
    logger.info("action: %s", action)


def notify(email: str, text: str) -> None:
    """Tell somebody."""
    logger.info("notified %s: %s", email, text)


def count(event: str) -> None:
    """Count an event."""
    logger.info("counted: %s", event)


async def send_email(email: str, subject: str) -> None:
    """Send a mail. An ``async def`` runs on the event loop, so it must await and never block."""
    await asyncio.sleep(0)
    logger.info("mailed %s: %s", email, subject)


@guarded
def process(data: str) -> None:
    """Process *data*; the word ``error`` shows what a failure looks like."""
    if data == "error":
        raise ValueError("cannot process 'error'")
    logger.info("processed: %s", data)


@router.post("/notifications/{email}", status_code=202)
async def basic(email: str, background: BackgroundTasks) -> Message:
    """Run one function after the response."""
    background.add_task(log_action, f"notification to {email}")
    return Message(message="notification planned")


@router.post("/notifications/{email}/text", status_code=202)
async def with_parameters(email: str, text: str, background: BackgroundTasks) -> Message:
    """Run one function with the request's parameters; on its own path: of two on one, the second is dead."""
    background.add_task(notify, email, text=text)
    return Message(message="notification planned")


@router.post("/emails/{email}", status_code=202)
async def asynchronous(email: str, mail: Email, background: BackgroundTasks) -> Message:
    """Run an ``async def``."""
    background.add_task(send_email, email, mail.subject)
    return Message(message="mail planned")


@router.post("/users/{user_id}", status_code=202)
async def several(user_id: str, background: BackgroundTasks) -> Message:
    """Run several functions, one after the other, in this order."""
    background.add_task(log_action, f"process user {user_id}")
    background.add_task(notify, f"{user_id}@example.com", "processed")
    background.add_task(count, f"user {user_id} processed")
    return Message(message="processing planned")


def log_query(background: BackgroundTasks, q: str | None = None) -> str | None:
    """Plan work from a dependency.

    FastAPI hands the *same* object to the endpoint and to its dependencies. A dependency that returns a
    ``BackgroundTasks()`` of its own plans work that nobody runs.
    """
    if q:
        background.add_task(log_action, f"query: {q}")
    return q


@router.post("/search", status_code=202)
async def from_dependency(
    term: str, background: BackgroundTasks, q: Annotated[str | None, Depends(log_query)] = None
) -> Message:
    """Run what the endpoint planned and what its dependency planned."""
    background.add_task(log_action, f"search: {term}")
    return Message(message=f"searching {q or term}")


@router.post("/process", status_code=202)
async def error_handled(data: str, background: BackgroundTasks) -> Message:
    """Run a function that may fail, and one after it that runs all the same."""
    background.add_task(process, data)
    background.add_task(count, "processing ended")
    return Message(message="processing planned")
