"""Submitting and watching runs from an asyncio application, such as a FastAPI app of your own.

``task.delay()`` in an ``async def`` stops the event loop for as long as Redis is slow, and one moved to a thread may
publish after its caller has been told that it failed. Here every submission is one script over an asyncio connection
with a deadline, and an id that the caller fixes makes a repeated submission the same run.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

import redis
import structlog
from celery import Celery
from celery.app.task import Task
from celery.canvas import Signature

from celeriac import canvas, keys
from celeriac.app import create_app
from celeriac.errors import InvalidError, NotFoundError, UnavailableError
from celeriac.record import Record, is_unknown
from celeriac.redis import connect_async, is_unreachable
from celeriac.settings import Settings
from celeriac.states import FINAL, State
from celeriac.submit import Submission, submit_async

T = TypeVar("T")
_OPTIONS: Final = frozenset({"task_id", "queue", "priority", "countdown", "eta", "expires", "headers", "routing_key"})
_POLL_FIRST: Final = 0.02
_POLL_MOST: Final = 0.5


class Progress(NamedTuple):
    """A canvas as it stands."""

    id: str
    outcome: canvas.Outcome
    parts: tuple[canvas.Part, ...]
    states: Mapping[str, State]


class Client:
    """One per process and event loop; :meth:`aclose` gives its connections back.

    *app* tells queues and priorities of tasks, as for ``.delay()``; by default it is a sender made from *settings*.
    Every method answers within ``settings.api.deadline_seconds`` or raises :class:`UnavailableError`.
    """

    def __init__(self, settings: Settings, app: Celery | None = None) -> None:
        self.app = app or create_app(settings, "sender")
        self._settings = settings
        self._redis = connect_async(settings.redis)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    async def submit(self, work: Signature[Any] | Task[..., Any], *, key: str | None = None) -> str:
        """Submit a task, or a chain, group or chord, and return its id.

        *key* names the submission: the same key again gives the same id and runs nothing twice.

        Raises:
            InvalidError: an option that cannot be carried, or arguments that JSON cannot.
            UnavailableError: Redis did not answer in time. The same *key* may be sent again.
        """
        signature: Signature[Any] = work.s() if isinstance(work, Task) else work
        if signature.subtask_type is None:
            submission = self._submission(signature, key)
        else:
            fixed = canvas.fix(signature, key)
            start = self.app.signature(canvas.TASK, args=[fixed.signature], task_id=fixed.id)
            submission = self._submission(start, key, parts=canvas.encode(fixed.parts))
        try:
            accepted = await self._ask(lambda: submit_async(self._redis, submission, self._settings.delivery))
        except TypeError as error:
            raise InvalidError(f"The arguments of {submission.task} cannot be sent as JSON: {error}") from error
        return accepted.id

    def _submission(self, signature: Signature[Any], key: str | None, **fields: str) -> Submission:
        name = str(signature.task)
        task = self.app.tasks.get(name)
        defaults = {option: getattr(task, option, None) for option in ("queue", "priority", "expires")}
        options = {option: value for option, value in defaults.items() if value is not None} | dict(signature.options)
        if unknown := options.keys() - _OPTIONS:
            raise InvalidError(
                f"{name}: a submission over asyncio cannot carry {', '.join(sorted(unknown))}; "
                f"it can carry {', '.join(sorted(_OPTIONS))}, or send it as a canvas"
            )
        route = self.app.amqp.router.route(options, name, signature.args, signature.kwargs)
        priority = options.get("priority", route.get("priority"))
        now = time.time()
        due = options.get("eta")
        if options.get("countdown"):
            due = now + options["countdown"]
        headers = dict(options.get("headers") or {})
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            headers["request_id"] = fields["request_id"] = str(request_id)
        return Submission(
            id=options.get("task_id") or canvas.identity(key),
            task=name,
            queue=route["queue"].name,
            priority=self._settings.task.default_priority if priority is None else priority,
            args=list(signature.args),
            kwargs=dict(signature.kwargs),
            due=_seconds(due),
            expires=_seconds(options.get("expires"), now),
            headers=headers,
            fields=fields,
        )

    async def record(self, id: str) -> Record:
        """Return what is known of a run.

        Raises:
            NotFoundError: no such run was submitted, or it ended longer ago than results are kept.
        """
        record = Record.read(id, await self._ask(lambda: self._redis.hgetall(keys.RUN + id)))
        if record is not None:
            return record
        if await self._ask(lambda: is_unknown(self._redis, id)):
            raise NotFoundError(f"There is no run {id}")
        raise UnavailableError("Redis is changing its master; try again")

    async def progress(self, id: str, seconds: float = 0) -> Progress:
        """Return how the canvas *id* stands, as a whole and in its parts: once it has ended, or after *seconds*.

        Raises:
            NotFoundError: as for :meth:`record`, or the run is no canvas.
        """
        return await _polled(lambda: self._progress(id), lambda found: found.outcome.state in FINAL, seconds)

    async def _progress(self, id: str) -> Progress:
        fields: list[Any] = await self._ask(lambda: self._redis.hmget(keys.RUN + id, ["state", "parts"]))
        state, encoded = fields
        if state is None or encoded is None:
            raise NotFoundError(f"There is no canvas {id}")
        parts = canvas.decode(encoded)
        states = await self._states([part.id for part in parts])
        return Progress(id, canvas.outcome(State(state.decode()), parts, states), parts, states)

    async def _states(self, ids: list[str]) -> dict[str, State]:
        async def ask() -> list[Any]:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for id in ids:
                    pipeline.hget(keys.RUN + id, "state")
                return await pipeline.execute()

        found = await self._ask(ask)
        return {id: State(state.decode()) for id, state in zip(ids, found, strict=True) if state is not None}

    async def wait(self, id: str, seconds: float) -> Record:
        """Return the record once the run has ended, or as it stands after *seconds*."""
        return await _polled(lambda: self.record(id), lambda found: found.state in FINAL, seconds)

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        seconds = self._settings.api.deadline_seconds
        try:
            async with asyncio.timeout(seconds):
                return await call()
        except TimeoutError as error:
            raise UnavailableError(f"Redis did not answer within {seconds:g} s; try again") from error
        except redis.RedisError as error:
            if is_unreachable(error):
                raise UnavailableError(f"Redis cannot be reached ({error}); try again") from error
            raise


async def _polled(ask: Callable[[], Awaitable[T]], done: Callable[[T], bool], seconds: float) -> T:
    end = time.monotonic() + seconds
    pause = _POLL_FIRST
    while True:
        found = await ask()
        left = end - time.monotonic()
        if done(found) or left <= 0:
            return found
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _POLL_MOST)


def _seconds(when: float | datetime | None, now: float = 0.0) -> float | None:
    if when is None:
        return None
    return when.timestamp() if isinstance(when, datetime) else now + when
