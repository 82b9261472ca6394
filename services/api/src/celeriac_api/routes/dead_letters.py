"""``/v1/dead-letters``: what will not be delivered again, unless it is replayed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Self

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from celeriac import dead_letters, message
from celeriac.dead_letters import DeadLetter, Filter, Opened, Reason
from celeriac.errors import InvalidError
from celeriac_api.openapi import problems
from celeriac_api.problem import ParameterError, Problem
from celeriac_api.resources import Api
from celeriac_api.route import router as new_router
from celeriac_api.timestamp import LONGEST_SECONDS

router = new_router("dead-letters")


class Choice(BaseModel):
    """Which dead letters; all that are named must match."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, max_length=255, description="A task.")
    reason: Reason | None = None
    queue: str | None = Field(default=None, max_length=255)
    older_than: float = Field(
        default=0, ge=0, le=LONGEST_SECONDS, description="Only those that died at least this many seconds ago."
    )

    def to_filter(self) -> Filter:
        """Return the same as the core reads it."""
        return Filter(task=self.name, reason=self.reason, queue=self.queue, older_than=self.older_than)


class Listing(Choice):
    """Query of the list."""

    limit: int = Field(default=50, ge=1, le=500, description="Letters on a page at the most.")
    after: str | None = Field(default=None, max_length=400, description="`next` of the page before.")


class Letter(BaseModel):
    """A dead letter."""

    id: str = Field(description="Of the run; of a message that nobody can read, a digest of it.")
    name: str | None = Field(description="The task, when it is known.")
    reason: str = Field(description="Why it died.", examples=list(Reason))
    error: str | None = Field(description="What happened, in words.")
    queue: str
    deliveries: int = Field(description="Times it was handed to a worker.")
    died: datetime

    @classmethod
    def of(cls, letter: DeadLetter, **more: Any) -> Self:
        """Return the view of *letter*."""
        return cls(
            id=letter.id,
            name=letter.task,
            reason=letter.reason,
            error=letter.error,
            queue=letter.queue,
            deliveries=letter.deliveries,
            died=datetime.fromtimestamp(letter.died, UTC),
            **more,
        )


class OpenedLetter(Letter):
    """A dead letter with what is in it."""

    model_config = ConfigDict(extra="forbid")

    args: list[Any] | None = Field(description="Null when nobody can read the message.")
    kwargs: dict[str, Any] | None
    headers: dict[str, Any] | None = Field(description="The message's own headers.")


class Letters(BaseModel):
    """A page of dead letters, the latest first."""

    items: list[Letter]
    next: str | None = Field(description="Give it as `after` for the next page; null on the last.")


class ReplayRequest(BaseModel):
    """What to change before it runs again; nothing, by default."""

    model_config = ConfigDict(extra="forbid")

    args: list[Any] | None = Field(default=None, description="Unset, as they were.")
    kwargs: dict[str, Any] | None = Field(default=None, description="Unset, as they were.")


class Replayed(BaseModel):
    """The run waits in its queue again."""

    id: str


class Removed(BaseModel):
    """What a purge removed."""

    removed: int


@router.get(
    "/dead-letters", summary="List dead letters", response_description="A page.", responses=problems(422, 503)
)
async def list_dead_letters(query: Annotated[Listing, Query()], api: Api) -> Letters:
    """A page may hold fewer than `limit`, even none, and still have a `next`: it looks at a bounded number."""
    read = partial(dead_letters.page, filter_=query.to_filter(), limit=query.limit, after=query.after)
    try:
        letters, after = await api.store.run(read)
    except InvalidError as error:
        raise ParameterError(str(error), "after", "query") from error
    return Letters(items=[Letter.of(letter) for letter in letters], next=after)


@router.get(
    "/dead-letters/{id}",
    summary="Open a dead letter",
    response_description="It, with its arguments.",
    responses=problems(404, 503),
)
async def get_dead_letter(id: str, api: Api) -> OpenedLetter:
    """Arguments are shown as a caller would write them: times, UUIDs and the like as text."""
    letter, contents, _ = await api.store.run(lambda client: dead_letters.show(client, id))
    if contents is None:
        return OpenedLetter.of(letter, args=None, kwargs=None, headers=None)
    return OpenedLetter.of(
        letter, args=message.plain(contents.args), kwargs=message.plain(contents.kwargs), headers=contents.headers
    )


@router.post(
    "/dead-letters/{id}/replay",
    summary="Run a dead letter again",
    response_description="The run is queued.",
    responses={
        409: {"model": Problem, "description": "The run has gone on by other means."},
        **problems(404, 503, body=True),
    },
)
async def replay_dead_letter(id: str, api: Api, body: ReplayRequest | None = None) -> Replayed:
    """Under its own id, to the queue it came from. New arguments are checked against the catalogue."""
    change = body or ReplayRequest()
    args: Sequence[Any] | None = None
    kwargs: dict[str, Any] | None = None
    if change.args is not None or change.kwargs is not None:
        opened = await api.store.run(lambda client: dead_letters.show(client, id))
        args, kwargs = await _checked(api, opened, change)
    await api.store.run(lambda client: dead_letters.replay(client, id, args=args, kwargs=kwargs))
    return Replayed(id=id)


async def _checked(api: Api, opened: Opened, change: ReplayRequest) -> tuple[list[Any] | None, dict[str, Any] | None]:
    """Return what was changed as the task is to receive it. What was not stays as it is in the message."""
    contents = opened.contents
    if contents is None or opened.letter.task is None:
        raise InvalidError("Its message cannot be read, so there is nothing to edit: remove it")
    arguments = await api.catalog.arguments(opened.letter.task)
    args, kwargs = arguments.bind(
        message.plain(contents.args) if change.args is None else change.args,
        message.plain(contents.kwargs) if change.kwargs is None else change.kwargs,
    )
    return (None if change.args is None else args), (None if change.kwargs is None else kwargs)


@router.delete("/dead-letters/{id}", status_code=204, summary="Remove a dead letter", responses=problems(404, 503))
async def delete_dead_letter(id: str, api: Api) -> None:
    """Its run stays `dead`; the record is kept for a while more."""
    keep = api.settings.result.expires_seconds
    await api.store.run(lambda client: dead_letters.remove(client, id, keep_seconds=keep))


@router.post(
    "/dead-letters/purge",
    summary="Remove dead letters by filter",
    response_description="How many.",
    responses=problems(503, body=True),
)
async def purge_dead_letters(body: Choice, api: Api) -> Removed:
    """An empty object removes all. After a 503 some are removed: repeat the request."""
    chosen, keep = body.to_filter(), api.settings.result.expires_seconds
    removed, after = 0, None
    while True:
        step = partial(dead_letters.purge_page, filter_=chosen, keep_seconds=keep, after=after)
        letters, after = await api.store.run(step)
        removed += len(letters)
        if after is None:
            return Removed(removed=removed)
