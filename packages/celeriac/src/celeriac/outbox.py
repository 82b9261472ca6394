"""What a worker process has yet to tell Redis of the deliveries it holds, in order.

Each entry is one step of one delivery: that it began, ended, is to be retried or goes back. Entries are sent in
batches, each script once for a row of entries of its kind, and stay here until Redis has answered, so an outage
delays them and loses none. All scripts are idempotent by tag, so sending a batch twice is safe.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import ClassVar, NamedTuple

from celeriac.scripts import Argument

_BATCH = 100
"""Entries sent at a time: some milliseconds of Redis' time at the most."""


@dataclass(slots=True)
class Entry:
    """A step of the delivery *tag* of run *id*. *at* is when it happened, by this process' monotonic clock."""

    script: ClassVar[str]

    tag: str
    id: str
    at: float = field(default_factory=time.monotonic, kw_only=True)
    attempts: int = field(default=0, init=False)
    """Times it has been sent."""

    def arguments(self, now: float) -> tuple[Argument, ...]:
        """Return what the script is given for this entry, with times as milliseconds before *now*."""
        raise NotImplementedError


@dataclass(slots=True)
class Start(Entry):
    """The run began."""

    script: ClassVar[str] = "start"

    def arguments(self, now: float) -> tuple[Argument, ...]:
        return (self.tag, self.id, _ago(now, self.at))


@dataclass(slots=True)
class Finish(Entry):
    """The run ended in *state*: a final one, or ``replaced`` when others run in its place."""

    script: ClassVar[str] = "finish"

    state: str
    error: str = ""
    """JSON, as the record shows it."""
    reason: str = ""
    result: bytes | str = ""
    """The result as Celery's backend encodes it; empty for none."""
    result_seconds: int = 0
    """How long the result is kept; 0 for ever."""
    began: float | None = None
    """When the run began, if that has not been told yet."""

    def arguments(self, now: float) -> tuple[Argument, ...]:
        began = "" if self.began is None else _ago(now, self.began)
        return (
            self.tag,
            self.id,
            self.state,
            began,
            _ago(now, self.at),
            self.error,
            self.reason,
            self.result,
            self.result_seconds,
        )


@dataclass(slots=True)
class Retry(Entry):
    """The run is to be delivered again as *message*, a new attempt."""

    script: ClassVar[str] = "retry"

    task: str
    list: str
    queue: str
    priority: int
    message: bytes | str
    due: float = 0
    """Seconds since the epoch; 0 for at once."""
    retries: int = 0
    error: str = ""
    result: bytes | str = ""
    result_seconds: int = 0

    def arguments(self, now: float) -> tuple[Argument, ...]:
        return (
            self.tag,
            self.id,
            self.task,
            self.list,
            self.queue,
            self.priority,
            round(self.due * 1000),
            self.retries,
            self.error,
            self.result,
            self.result_seconds,
            self.message,
        )


@dataclass(slots=True)
class Requeue(Entry):
    """The delivery goes back to its list."""

    script: ClassVar[str] = "requeue"

    front: bool = True
    """Whether it is taken next, rather than last."""
    forgiven: bool = False
    """Whether this hand-out does not count towards ``max_deliveries``."""
    error: str = ""
    """JSON: what ended this delivery, as the record shows it."""

    def arguments(self, now: float) -> tuple[Argument, ...]:
        return (self.tag, self.id, int(self.front), int(self.forgiven), self.error)


class Call(NamedTuple):
    """One script over a row of entries."""

    script: str
    entries: list[Entry]
    arguments: list[Argument]


class Outbox:
    """Entries waiting to be sent. Any thread may add; one at a time takes and confirms."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._started: dict[str, Start] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> bool:
        """Put *entry* last, and tell whether the outbox was empty.

        A start that was not sent yet when its end comes is told with the end.
        """
        with self._lock:
            was_empty = not self._entries
            if isinstance(entry, Start):
                self._started[entry.tag] = entry
            else:
                start = self._started.pop(entry.tag, None)
                if start is not None:
                    self._entries.remove(start)
                    if isinstance(entry, Finish):
                        entry.began = start.at
            self._entries.append(entry)
            return was_empty

    def oldest(self) -> float | None:
        """Return when the first entry was made (monotonic), None when there is none."""
        with self._lock:
            return self._entries[0].at if self._entries else None

    def take(self) -> list[Entry]:
        """Return the next entries to send. They stay until :meth:`confirm`, but can no longer be changed."""
        with self._lock:
            batch = list(islice(self._entries, _BATCH))
            for entry in batch:
                self._started.pop(entry.tag, None)
                entry.attempts += 1
            return batch

    def confirm(self, count: int) -> None:
        """Forget the first *count* entries: Redis has them."""
        with self._lock:
            for _ in range(count):
                self._entries.popleft()

    def replace_first(self, entry: Entry | None) -> None:
        """Put *entry* in the place of the first, or nothing."""
        with self._lock:
            self._entries.popleft()
            if entry is not None:
                self._entries.appendleft(entry)


def calls(batch: Sequence[Entry], now: float) -> list[Call]:
    """Return the scripts that send *batch* in its order, one for each row of entries of a kind."""
    rows: list[Call] = []
    for entry in batch:
        if not rows or rows[-1].script != entry.script:
            rows.append(Call(entry.script, [], []))
        row = rows[-1]
        row.entries.append(entry)
        row.arguments.extend(entry.arguments(now))
    return rows


def _ago(now: float, then: float) -> int:
    return max(0, round((now - then) * 1000))
