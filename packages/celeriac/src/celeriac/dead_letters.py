"""Dead letters: messages that will not be delivered again unless somebody replays them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

import redis.asyncio

from celeriac import keys, message, scripts
from celeriac.errors import ConflictError, InvalidError, NotFoundError
from celeriac.states import State

_LOOKED_AT: Final = 1000
"""Letters that one script looks at; Redis serves nobody else meanwhile."""


class Reason(StrEnum):
    """Why a message died. Workers and the leader write it."""

    MAX_DELIVERIES = "max_deliveries"
    """Handed out as often as allowed, and never finished."""
    UNDECODABLE = "undecodable"
    """No JSON, or without an id: nobody can tell which run it is."""
    MALFORMED = "malformed"
    """Its body or its arguments cannot be read."""
    UNKNOWN_TASK = "unknown_task"
    """No task of that name where it was delivered."""
    UNPROCESSABLE = "unprocessable"
    """Its record has a form that the scripts cannot work with."""
    TIME_LIMIT = "time_limit"
    """Killed at its hard limit, each time it was delivered; for tasks that set ``acks_on_timeout`` to false."""
    MEMORY = "memory"
    """Its task raised a MemoryError. Killed for its memory it would be delivered again, up to ``max_deliveries``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What is known of a dead letter without its message. ``died`` is seconds since the epoch."""

    id: str
    task: str | None
    reason: str
    error: str | None
    """What happened, in words."""
    list: str
    """Queue list it was taken from, and goes to at a replay."""
    deliveries: int
    died: float

    @property
    def queue(self) -> str:
        """Queue of the list."""
        return self.list.partition(keys.PRIORITY_SEPARATOR)[0]


class Opened(NamedTuple):
    """A dead letter with its message; *contents* is None when nobody can read it."""

    letter: DeadLetter
    contents: message.Contents | None
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which dead letters; what is None matches all."""

    task: str | None = None
    reason: str | None = None
    queue: str | None = None
    older_than: float = 0
    """Seconds since it died, by Redis' clock."""


class Page(NamedTuple):
    """Some dead letters, the latest first, and where to go on; *next* is None at the end."""

    letters: list[DeadLetter]
    next: str | None


async def page(client: redis.asyncio.Redis, filter_: Filter, *, limit: int, after: str | None = None) -> Page:
    """Return up to *limit* letters behind *after*, the ``next`` of an earlier page.

    A page may hold fewer and still have a next, when many had to be looked at.

    Raises:
        InvalidError: *after* is no cursor.
    """
    return await _walk(client, "list", filter_, limit, after, keep_seconds=0)


async def purge_page(
    client: redis.asyncio.Redis, filter_: Filter, *, keep_seconds: int, after: str | None = None
) -> Page:
    """Remove what matches among the next letters and return it; the records of their runs are kept *keep_seconds*."""
    return await _walk(client, "purge", filter_, _LOOKED_AT, after, keep_seconds)


async def purge(client: redis.asyncio.Redis, filter_: Filter, *, keep_seconds: int) -> int:
    """Remove all that match and return how many."""
    removed, after = 0, None
    while True:
        letters, after = await purge_page(client, filter_, keep_seconds=keep_seconds, after=after)
        removed += len(letters)
        if after is None:
            return removed


async def every(client: redis.asyncio.Redis, filter_: Filter) -> AsyncIterator[DeadLetter]:
    """Yield all that match, the latest first."""
    after = None
    while True:
        letters, after = await page(client, filter_, limit=_LOOKED_AT, after=after)
        for letter in letters:
            yield letter
        if after is None:
            return


async def show(client: redis.asyncio.Redis, id: str) -> Opened:
    """Return one letter with its message.

    Raises:
        NotFoundError: there is none for this id.
    """
    names = ("task", "reason", "error", "list", "deliveries", "died", "message")
    values: list[Any] = await client.hmget(keys.DEAD_LETTER + id, names)
    *fields, raw = values
    if raw is None:
        raise _not_found(id)
    try:
        contents = message.read(raw)
    except ValueError:
        contents = None
    return Opened(_letter(id.encode(), fields), contents, raw)


async def remove(client: redis.asyncio.Redis, id: str, *, keep_seconds: int) -> None:
    """Remove one letter.

    Raises:
        NotFoundError: there is none for this id.
    """
    if not await scripts.run_async(client, "remove_dead_letter", [keys.DEAD_LETTER + id], [id, keep_seconds]):
        raise _not_found(id)


async def replay(
    client: redis.asyncio.Redis,
    id: str,
    *,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> None:
    """Send the run again, with other arguments where given. Its deliveries are counted from nothing.

    Raises:
        NotFoundError: there is no dead letter for this id.
        InvalidError: its message cannot be read, hence neither edited nor delivered.
        ConflictError: its run has gone on meanwhile.
    """
    edited = ""
    if args is not None or kwargs is not None:
        opened = await show(client, id)
        if opened.contents is None:
            raise _unreadable(id)
        edited = message.with_arguments(
            opened.raw,
            opened.contents.args if args is None else args,
            opened.contents.kwargs if kwargs is None else kwargs,
        )
    answer = await scripts.run_async(
        client, "replay", [keys.DEAD, keys.DEAD_LETTER + id, keys.RUN + id], [id, edited]
    )
    if answer == b"unknown":
        raise _not_found(id)
    if answer == b"unreadable":
        raise _unreadable(id)
    if answer != State.QUEUED.encode():
        raise ConflictError(f"Run {id!r} is {answer.decode()}: it was sent again by other means")


async def _walk(
    client: redis.asyncio.Redis, action: str, filter_: Filter, limit: int, after: str | None, keep_seconds: int
) -> Page:
    died, _, last = (after or "0:").partition(":")
    if not died.isdecimal():
        raise InvalidError(f"{after!r} is no cursor: use the one of the page before", "/after")
    last_id, last_died, *rest = await scripts.run_async(
        client,
        "dead_letters",
        [keys.DEAD],
        [
            action, last, died, limit, _LOOKED_AT,
            filter_.task or "", filter_.reason or "", filter_.queue or "", round(filter_.older_than * 1000),
            keep_seconds,
        ],
    )  # fmt: skip
    letters = [_letter(id, fields) for id, fields in zip(rest[::2], rest[1::2], strict=True)]
    return Page(letters, f"{last_died}:{last_id.decode()}" if last_id else None)


def _letter(id: bytes, fields: Sequence[bytes | None]) -> DeadLetter:
    task, reason, error, list_, deliveries, died = ((field or b"").decode() for field in fields)
    return DeadLetter(
        id=id.decode(),
        task=task or None,
        reason=reason,
        error=error or None,
        list=list_,
        deliveries=int(deliveries or 0),
        died=int(died or 0) / 1000,
    )


def _not_found(id: str) -> NotFoundError:
    return NotFoundError(f"There is no dead letter {id!r}")


def _unreadable(id: str) -> InvalidError:
    return InvalidError(f"The message of dead letter {id!r} cannot be read: it can only be removed")
