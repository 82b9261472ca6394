"""Turning decisions about fires into steps of the ``schedule_fire`` script."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from kombu.utils.json import loads

from celeriac import keys, message, scripts
from celeriac.schedule.definition import Definition, Overlap
from celeriac.schedule.plan import Plan, due_at
from celeriac.schedule.spec import moment
from celeriac.schedule.stored import Stored

HISTORY: Final = 100
"""Fires of a schedule that are kept."""

_NAMESPACE: Final[UUID] = uuid5(NAMESPACE_URL, "https://celeriac.dev/schedules")


Step = dict[str, Any]
"""What the script does to one schedule; its head says what is in it."""


class Target(NamedTuple):
    """Where runs of a task go when the schedule does not say."""

    queue: str
    priority: int


def run_id(id: str, occasion: object) -> str:
    """Return the id of the run for one occasion: the same, whoever submits it and however often."""
    return str(uuid5(_NAMESPACE, f"{id}\n{occasion}"))


def call(token: str, steps: Sequence[Step], keep_seconds: int) -> tuple[list[str], list[scripts.Argument]]:
    """Return the keys and arguments of the script for *steps*; *token* is empty where nobody needs to lead.

    *keep_seconds* is how long the record of a run is kept that one of them cancels.
    """
    return [], [token, json.dumps(steps), HISTORY, keep_seconds]


def advance(
    id: str, definition: Definition, payload: str, version: str, pending: int, now: int, plan: Plan, target: Target
) -> Step:
    """Return the step that carries out *plan*."""
    runs = [
        _run(id, definition, payload, fire, "made up" if index < plan.made_up else "on time", now, target)
        for index, fire in enumerate(plan.runs)
    ]
    following = plan.next
    return {
        "id": id,
        "version": version,
        "overlap": definition.overlap.value,
        "pending": str(pending),
        "next": "" if following is None else str(following),
        "due": "" if following is None else str(due_at(id, following, definition)),
        "notes": _notes(plan, now),
        "runs": runs,
    }


def release(id: str, definition: Definition, payload: str, version: str, held: int, now: int, target: Target) -> Step:
    """Return the step that lets a held fire go."""
    return {
        "id": id,
        "version": version,
        "overlap": definition.overlap.value,
        "release": str(held),
        "notes": [],
        "runs": [_run(id, definition, payload, held, "held", now, target)],
    }


def asked(stored: Stored, payload: str, now: int, id: str, target: Target) -> Step:
    """Return the step of a run that somebody asked for."""
    run = _run(stored.id, stored.definition, payload, now, "asked for", now, target, id)
    return {
        "id": stored.id,
        "version": str(stored.version),
        "overlap": stored.definition.overlap.value,
        "notes": [],
        "runs": [run],
    }


def replan(id: str, definition: Definition, version: str, pending: int, fire: int | None) -> Step:
    """Return the step that moves the next fire from *pending* to *fire*, and fires nothing."""
    return {
        "id": id,
        "version": version,
        "overlap": Overlap.ALLOW.value,
        "pending": str(pending),
        "next": "" if fire is None else str(fire),
        "due": "" if fire is None else str(due_at(id, fire, definition)),
        "notes": [],
        "runs": [],
    }


def _run(
    schedule: str,
    definition: Definition,
    payload: str,
    fire: int,
    why: str,
    now: int,
    target: Target,
    id: str | None = None,
) -> Step:
    id = id or run_id(schedule, fire)
    args, kwargs = loads(payload)
    queue = definition.queue or target.queue
    priority = target.priority if definition.priority is None else definition.priority
    expires = None if definition.expires_seconds is None else now + round(definition.expires_seconds * 1000)
    headers = {"celery_beat_task": True, "schedule": schedule, "fire": moment(fire).isoformat()}
    text = message.encode(
        id=id,
        task=definition.task,
        args=args,
        kwargs=kwargs,
        queue=queue,
        priority=priority,
        expires=None if expires is None else expires / 1000,
        headers=headers,
    )
    return {
        "id": id,
        "at": str(fire),
        "due": str(due_at(schedule, fire, definition)),
        "why": why,
        "task": definition.task,
        "queue": queue,
        "priority": str(priority),
        "list": keys.queue_list(queue, priority),
        "expires": "" if expires is None else str(expires),
        "message": text,
    }


def _notes(plan: Plan, now: int) -> list[str]:
    if plan.missed is None:
        return []
    missed = plan.missed
    entry = {
        "at": missed.first,
        "until": missed.last,
        "count": missed.count,
        "more": missed.more,
        "decided": now,
        "outcome": "missed",
        "because": f"no leader acted, or it was paused, for {timedelta(milliseconds=now - missed.first)}",
    }
    return [json.dumps(entry)]
