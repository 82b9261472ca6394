"""Chains, groups and chords as one run: accepted whole by one script, started by a worker, watched by their parts.

A sender that publishes a group itself sends a message per task: a crash or an outage in between leaves half of it,
and a chord needs a result backend on the sender. So a canvas is submitted as one run of :data:`TASK`, which carries
the canvas as data with the id of every part fixed beforehand. The worker that takes it sends the parts; should it be
lost halfway, the next one sends the same ids again, and those that were there already stay as they are.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4, uuid5

from celery import maybe_signature, shared_task
from celery.canvas import Signature
from kombu.exceptions import OperationalError

from celeriac.errors import InvalidError
from celeriac.states import FINAL, State

TASK: Final = "celeriac.canvas"
MAX_PARTS: Final = 10_000
_IDS: Final = UUID("5b0c1d6e-58f5-4b6e-9d2f-0f6f3f2c8a11")


class Part(NamedTuple):
    """One task of a canvas."""

    id: str
    task: str


class Canvas(NamedTuple):
    """A canvas ready to be submitted: plain data, every task with its id."""

    id: str
    signature: dict[str, Any]
    parts: tuple[Part, ...]


def fix(signature: Signature[Any], key: str | None = None) -> Canvas:
    """Return *signature* as data with an id for each of its tasks.

    The same *key* and canvas give the same ids, so that a repeated submission is the same run.

    Raises:
        InvalidError: it is empty, or has more than :data:`MAX_PARTS` tasks.
    """
    parts: list[Part] = []
    data = _fix(signature, key, parts)
    if not parts:
        raise InvalidError("The canvas has no task in it")
    if len(parts) > MAX_PARTS:
        raise InvalidError(f"The canvas has {len(parts)} tasks; {MAX_PARTS} is the most: split it")
    return Canvas(identity(key), data, tuple(parts))


def identity(key: str | None, place: int | None = None) -> str:
    """Return a new run id, or the one that *key* (and the *place* in its canvas) always gives."""
    if key is None:
        return str(uuid4())
    return str(uuid5(_IDS, key if place is None else f"{key}/{place}"))


def encode(parts: Sequence[Part]) -> str:
    """Return *parts* as the field ``parts`` of a record carries them."""
    return json.dumps(parts, separators=(",", ":"))


def decode(text: bytes | str) -> tuple[Part, ...]:
    """Read the field ``parts`` of a record."""
    return tuple(Part(*part) for part in json.loads(text))


def _fix(signature: Mapping[str, Any], key: str | None, parts: list[Part]) -> dict[str, Any]:
    data = {name: signature.get(name) for name in ("task", "args", "kwargs", "subtask_type", "immutable")}
    data["options"] = options = dict(signature.get("options") or {})
    kwargs = dict(signature.get("kwargs") or {})
    match data["subtask_type"]:
        case "chain" | "group":
            kwargs["tasks"] = [_fix(task, key, parts) for task in kwargs["tasks"]]
        case "chord":
            header = kwargs["header"]
            tasks = header["kwargs"]["tasks"] if isinstance(header, Mapping) else header
            kwargs["header"] = [_fix(task, key, parts) for task in tasks]
            kwargs["body"] = _fix(kwargs["body"], key, parts)
        case _:
            options["task_id"] = options.get("task_id") or identity(key, len(parts))
            parts.append(Part(options["task_id"], signature["task"]))
    return {**data, "kwargs": kwargs}


@shared_task(
    name=TASK,
    ignore_result=True,
    autoretry_for=(OperationalError,),
    max_retries=20,
    retry_backoff=True,
    retry_backoff_max=60,
)
def start(signature: dict[str, Any]) -> None:
    """Send the parts of a canvas; while the broker cannot take them, try again for about a quarter of an hour."""
    canvas = maybe_signature(signature)
    if canvas is None:
        raise InvalidError("There is no canvas to start")
    canvas.apply_async()


class Outcome(NamedTuple):
    """How a canvas stands. *reason* names the part that failed it."""

    state: State
    reason: str | None
    counts: dict[str, int]


def outcome(started: State, parts: Sequence[Part], states: Mapping[str, State]) -> Outcome:
    """Judge a canvas by its *started* run and the *states* of those parts that have a record.

    It has failed as soon as a part has ended in any way but success, whatever others still do: what comes after that
    part will never run, so nobody should wait for it.
    """
    counts = Counter(str(states[part.id]) if part.id in states else "waiting" for part in parts)
    if started in FINAL and started is not State.SUCCEEDED:
        return Outcome(started, f"the canvas was never started: {started}", dict(counts))
    for part in parts:
        state = states.get(part.id)
        if state in FINAL and state is not State.SUCCEEDED:
            return Outcome(State.FAILED, f"{part.task} [{part.id}] {state}", dict(counts))
    if counts == {State.SUCCEEDED: len(parts)}:
        return Outcome(State.SUCCEEDED, None, dict(counts))
    return Outcome(State.RUNNING if states else State.QUEUED, None, dict(counts))
