"""Auditing schedules: was each fire there was to be run exactly once, or given up as its policy says?"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from celeriac import keys
from celeriac.schedule.rule import fires
from celeriac.schedule.stored import Event, Stored, readable


@dataclass
class Audit:
    """What became of all fires of all schedules up to some moment."""

    expected: int = 0
    ran: int = 0
    made_up: int = 0
    """Of those that ran: later than the grace, by the catch-up policy."""
    missed: int = 0
    """Given up, and noted in the history, by the catch-up policy."""
    lost: list[str] = field(default_factory=list)
    """Neither run nor noted."""
    doubled: list[str] = field(default_factory=list)
    """Runs whose message is there more than once, or that no fire called for."""
    submitted: list[int] = field(default_factory=list)
    """When each run was submitted (ms, by Redis' clock), in order."""

    @property
    def exact(self) -> bool:
        """Whether nothing is lost and nothing doubled."""
        return not self.lost and not self.doubled

    def longest_silence(self, start: int, end: int) -> float:
        """Return the longest time, in seconds, without a submission that ends between *start* and *end* (ms)."""
        gaps = zip(self.submitted, self.submitted[1:], strict=False)
        return max((after - before for before, after in gaps if start <= after <= end), default=0) / 1000


def audit(client: redis.Redis, queue_lists: Sequence[str], until: int) -> Audit:
    """Compare all schedules' fires up to *until* (ms) with their runs, whose messages still wait in *queue_lists*.

    A schedule is audited from its making on, so its definition must not have changed, nor must it have been paused.
    """
    # Records first: what fires between the two reads has a message too many, never one too few.
    records = {key.decode().removeprefix(keys.RUN): client.hgetall(key) for key in _keys(client, keys.RUN)}
    messages = Counter(_message_ids(client, queue_lists))
    found = Audit(submitted=sorted(int(fields[b"created"]) for fields in records.values() if b"fire" in fields))
    ids = [key.decode().removeprefix(keys.SCHEDULE) for key in _keys(client, keys.SCHEDULE)]
    for schedule in readable((id, client.hgetall(keys.SCHEDULE + id)) for id in ids):
        runs: dict[int, str] = {}
        for id, fields in records.items():
            if fields.get(b"schedule") == schedule.id.encode():
                fire = int(fields[b"fire"])
                if fire in runs or messages[id] != 1:
                    found.doubled.append(f"{schedule.id} at {fire}: {messages[id]} messages")
                runs[fire] = id
        _compare(found, schedule, runs, _events(client, schedule.id), until)
    return found


def _compare(found: Audit, schedule: Stored, runs: dict[int, str], events: list[Event], until: int) -> None:
    expected = list(fires(schedule.definition.rule(), schedule.created, until))
    given_up = [event for event in events if event.outcome == "missed"]
    for fire in expected:
        if fire in runs:
            found.ran += 1
        elif any(event.at <= fire <= (event.until or event.at) for event in given_up):
            found.missed += 1
        else:
            found.lost.append(f"{schedule.id} at {fire}")
    found.expected += len(expected)
    found.made_up += sum(event.why == "made up" for event in events)
    found.doubled += [
        f"{schedule.id} at {fire}: no such fire" for fire in runs if fire <= until and fire not in expected
    ]


def _events(client: redis.Redis, id: str) -> list[Event]:
    entries: Any = client.lrange(keys.SCHEDULE_HISTORY + id, 0, -1)
    return [Event.model_validate_json(entry) for entry in entries]


def _message_ids(client: redis.Redis, lists: Sequence[str]) -> list[str]:
    messages: list[Any] = [message for name in lists for message in client.lrange(name, 0, -1)]
    return [json.loads(message)["headers"]["id"] for message in messages]


def _keys(client: redis.Redis, prefix: str) -> list[Any]:
    return list(client.scan_iter(prefix + "*", count=1000))
