"""How much waits in each queue and is in flight: exact, and all of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio

from celeriac import keys, scripts


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What one queue has to do."""

    queue: str
    waiting: Mapping[int, int]
    """Messages by priority step."""
    in_flight: int
    """Messages that workers hold."""
    oldest_age: float | None
    """Seconds that the longest waiting run has waited; of a delayed one, since it fell due. None when none waits."""


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to do at one moment."""

    queues: Sequence[QueueLoad]
    delayed: int
    dead_letters: int
    leases: int


def read(client: redis.Redis, queues: Sequence[str]) -> Load:
    """Return the load of *queues*."""
    return _load(queues, scripts.run(client, "queues", _lists(queues), []))


async def read_async(client: redis.asyncio.Redis, queues: Sequence[str]) -> Load:
    """Return the load of *queues*, read on an asyncio client."""
    return _load(queues, await scripts.run_async(client, "queues", _lists(queues), []))


def _lists(queues: Sequence[str]) -> list[str]:
    return [name for queue in queues for name in keys.queue_lists(queue)]


def _load(queues: Sequence[str], answer: Sequence[Any]) -> Load:
    now, delayed, dead, leases, lists = answer
    steps = len(keys.PRIORITY_STEPS)
    loads = [_queue(queue, now, lists[i * steps : (i + 1) * steps]) for i, queue in enumerate(queues)]
    return Load(loads, delayed, dead, leases)


def _queue(queue: str, now: int, lists: Sequence[tuple[int, int, int]]) -> QueueLoad:
    since = [moment for _, moment, _ in lists if moment]
    return QueueLoad(
        queue=queue,
        waiting={step: waiting for step, (waiting, _, _) in zip(keys.PRIORITY_STEPS, lists, strict=True)},
        in_flight=sum(in_flight for _, _, in_flight in lists),
        oldest_age=max(0.0, (now - min(since)) / 1000) if since else None,
    )
