"""A platform in one thread: every script, called as its callers call it, in an order somebody else decides."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import redis

from celeriac import keys, message, scripts
from celeriac.leader import Leader
from celeriac.outbox import Entry, calls
from celeriac.settings.task import DeliverySettings
from celeriac.states import Actor, State, allowed
from celeriac.submit import Submission, submit

KEEP = 600
LISTS = [keys.queue_list("default", step) for step in (0, 3)]
DELIVERY = DeliverySettings(max_deliveries=2, dead_letter_limit=4, delay_threshold_seconds=0)
SLOTS = 2
"""Runs that a worker has going at a time."""
FAR = 4_000_000_000.0
"""A time that does not come, in seconds since the epoch."""
_SOON = 0.9
"""Seconds of a delay; short of what makes ``reserve`` put a run back into the delayed set by its own ETA."""


@dataclass
class Owner:
    """A worker process as Redis sees it."""

    group: str
    owner: str
    sequence: int = 0
    unanswered: int = 0
    held: dict[str, str] = field(default_factory=dict)
    """Delivery tag -> run id, as the worker believes."""

    @property
    def lease(self) -> str:
        return f"{self.group}/{self.owner}"

    @property
    def unacked(self) -> str:
        return keys.UNACKED + self.group


class Platform:
    """All that may be done to runs. Each method is one step, made by the actor that owns the script."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.leader = Leader(client, lease_seconds=60)
        self.leader.attempt()
        self.runs: list[str] = []
        self._names = count(1)

    def owner(self, group: str) -> Owner:
        return Owner(group, self._token())

    def _token(self) -> str:
        return f"owner{next(self._names)}~{SLOTS}"

    # -- submitters

    def submit(self, step: int, *, delayed: bool = False, expired: bool = False, again: str | None = None) -> str:
        now = time.time()
        run = Submission(
            task="shop.report",
            queue="default",
            priority=step,
            id=again or f"run{len(self.runs)}",
            due=now + _SOON if delayed else None,
            expires=now - 1 if expired else None,
        )
        submit(self.client, run, DELIVERY)
        if run.id not in self.runs:
            self.runs.append(run.id)
        return run.id

    def send_stock(self, *, eta: bool = False) -> str:
        """As a stock producer does: a message, and no record, to its list even when it is for later."""
        id = f"run{len(self.runs)}"
        due = FAR if eta else None
        text = message.encode(id=id, task="shop.report", args=[], kwargs={}, queue="default", priority=0, due=due)
        self.client.lpush("default", text)
        self.runs.append(id)
        return id

    # -- workers

    def reserve(self, owner: Owner, wanted: int, *, answer_lost: bool = False) -> None:
        first = owner.sequence + 1
        lost = owner.unanswered
        owner.sequence += wanted
        owner.unanswered += wanted
        answer = scripts.run(
            self.client,
            "reserve",
            [owner.unacked, keys.LEASES, *LISTS],
            [owner.owner, owner.lease, wanted, first, lost, int(bool(owner.held)), 60_000, 1,
             DELIVERY.max_deliveries, 1000, DELIVERY.dead_letter_limit, KEEP],
        )  # fmt: skip
        if answer_lost:
            return
        owner.unanswered = 0
        if not answer[0]:
            owner.held.clear()
            owner.owner = self._token()
            return
        for i in range(1, len(answer), 4):
            owner.held[answer[i].decode()] = message.read(answer[i + 1]).headers["id"]

    def tell(self, owner: Owner, entry: Entry) -> bool:
        """Send one step of a delivery, and return whether it stood."""
        heads: dict[str, list[scripts.Argument]] = {
            "start": ["worker@host"],
            "finish": ["worker@host", KEEP, DELIVERY.dead_letter_limit],
            "retry": ["worker@host", 1000, KEEP],
            "requeue": [KEEP],
        }
        ((script, _, arguments),) = calls([entry], time.monotonic())
        (stood,) = scripts.run(self.client, script, [owner.unacked], [*heads[script], *arguments])
        if script != "start":
            owner.held.pop(entry.tag, None)
        return bool(stood)

    def renew(self, owner: Owner) -> bool:
        return bool(scripts.run(self.client, "renew", [keys.LEASES], [owner.lease, 60_000]))

    # -- time

    def let_lease_end(self, owner: Owner) -> None:
        self.client.zadd(keys.LEASES, {owner.lease: 1}, xx=True)

    def let_fall_due(self, id: str) -> None:
        self.client.zadd(keys.DELAYED, {id: 1}, xx=True)

    # -- the leader

    def promote(self) -> None:
        self.leader.call("promote", [keys.DELAYED], [2])

    def reclaim(self) -> None:
        self.leader.call(
            "reclaim",
            [keys.LEASES, keys.LEASES_WATCHED],
            [2, DELIVERY.max_deliveries, DELIVERY.dead_letter_limit, KEEP, 0, 0],
        )

    def trim(self) -> None:
        self.leader.call("history", [keys.RUNS + "shop.report", keys.TASKS], ["shop.report", "", 1000, 0, 1000])

    # -- operators

    def cancel(self, id: str) -> None:
        scripts.run(self.client, "cancel", [], ["by a test", 0, KEEP, id])

    def replay(self, id: str) -> str:
        answer: bytes = scripts.run(
            self.client, "replay", [keys.DEAD, keys.DEAD_LETTER + id, keys.RUN + id], [id, ""]
        )
        return answer.decode()

    def purge(self, id: str) -> None:
        scripts.run(self.client, "remove_dead_letter", [keys.DEAD_LETTER + id], [id, KEEP])


@dataclass(frozen=True)
class Standing:
    """Where a run is, and what its record says."""

    fields: dict[str, str]
    """Its record."""
    expires: bool
    delayed: bool
    queued: int
    """Messages of it in lists."""
    held: tuple[str, ...]
    """Tags of its deliveries."""
    dead: bool

    @property
    def state(self) -> State | None:
        return State(self.fields["state"]) if self.fields else None

    @property
    def deliveries(self) -> int:
        return int(self.fields.get("deliveries", 0))


def look(client: redis.Redis, runs: list[str], groups: list[str]) -> dict[str, Standing]:
    """Return where each of *runs* stands. Read at one moment, since nothing else writes."""
    queued: dict[str, int] = dict.fromkeys(runs, 0)
    for name in LISTS:
        texts: Any = client.lrange(name, 0, -1)
        for text in texts:
            queued[message.read(text).headers["id"]] += 1
    held: dict[str, list[str]] = {id: [] for id in runs}
    for group in groups:
        unacked: Any = client.hgetall(keys.UNACKED + group)
        for tag, text in unacked.items():
            held[message.read(text).headers["id"]].append(tag.decode())
    found = {}
    for id in runs:
        with client.pipeline() as pipe:
            pipe.hgetall(keys.RUN + id)
            pipe.ttl(keys.RUN + id)
            pipe.zscore(keys.DELAYED, id)
            pipe.zscore(keys.DEAD, id)
            fields, ttl, delayed, dead = pipe.execute()
        found[id] = Standing(
            {name.decode(): value.decode() for name, value in fields.items()},
            ttl >= 0,
            delayed is not None,
            queued[id],
            tuple(held[id]),
            dead is not None,
        )
    return found


Check = Callable[[str, Standing], None]
PLACES: dict[State, tuple[str, ...]] = {
    State.SCHEDULED: ("delayed",),
    State.QUEUED: ("queued", "held"),
    State.RETRYING: ("delayed", "queued", "held"),
    State.REQUEUED: ("queued", "held"),
    State.RUNNING: ("held",),
    State.DEAD: ("dead",),
}
"""Where a run of each state may be; final ones but dead letters are nowhere."""


def check_place(id: str, run: Standing) -> None:
    """Invariant 1: a run is in exactly one place, and its record says so."""
    places = [*["delayed"] * run.delayed, *["queued"] * run.queued, *["held"] * len(run.held), *["dead"] * run.dead]
    if run.state is None:
        assert places == ["queued"], f"{id} has no record, and is in {places}"
        return
    if run.state is State.DEAD and run.expires:
        assert places == [], f"the letter of {id} was removed, and it is in {places}"
        return
    if run.state is State.CANCELLED and not run.expires:
        assert places == ["queued"], f"the record of {id} is kept for its message, and it is in {places}"
        return
    allowed_in = PLACES.get(run.state, ())
    if not allowed_in:
        assert places == [], f"{id} is {run.state} and still in {places}"
        assert run.expires, f"{id} is {run.state} and its record never goes"
        return
    assert len(places) == 1, f"{id} is {run.state} and in {places}"
    assert places[0] in allowed_in, f"{id} is {run.state} and in {places}"
    assert ("message" in run.fields) == run.delayed, f"the message of {id} is in its record and elsewhere, or nowhere"
    assert ("owner" in run.fields) == bool(run.held) or run.state is State.DEAD, f"{id}: owner and {run.held}"


def check_move(id: str, actor: Actor, before: Standing | None, after: Standing) -> None:
    """Invariant 4: a state changes by those who may change it, and to what they may change it to."""
    old = before.state if before is not None else None
    if after.state == old or after.state is None:
        return
    if old is None:
        submitted = actor is Actor.SUBMITTER and after.state in (State.QUEUED, State.SCHEDULED)
        assert submitted or actor is Actor.WORKER, f"{actor} made {id} as {after.state}"
        return
    assert allowed(actor, old, after.state), f"{actor} moved {id} from {old} to {after.state}"
