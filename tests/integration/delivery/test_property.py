"""Invariants 1 to 4 of the design, after every step of any order of steps, by the real scripts on a real server."""

from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from celeriac.outbox import Entry, Finish, Requeue, Retry, Start
from celeriac.states import FINAL, Actor, State
from celeriac.testing import Server

from .machine import DELIVERY, FAR, LISTS, SLOTS, Owner, Platform, Standing, check_move, check_place, look

GROUPS = ["a", "b"]


class Delivery(RuleBasedStateMachine):
    """Submitters, two workers of two groups, a leader and an operator, in any order."""

    client: redis.Redis

    @initialize()
    def begin(self) -> None:
        self.client.flushall()
        self.platform = Platform(self.client)
        self.owners = [self.platform.owner(group) for group in GROUPS]
        self.stale: list[tuple[Owner, str, str]] = []
        self.seen: dict[str, Standing] = {}
        self.handed: dict[str, int] = {}
        self.actor = Actor.SUBMITTER
        self.fresh: set[str] = set()
        """Runs whose deliveries the step at hand counts from nothing."""
        self.forgiven: set[str] = set()
        """Runs of which the step at hand takes a delivery back."""

    def act(self, actor: Actor) -> Platform:
        """Name who makes the next step."""
        self.actor = actor
        return self.platform

    def pick(self, items: list[Any], number: int) -> Any:
        return items[number % len(items)]

    def holding(self) -> list[tuple[Owner, str, str]]:
        return [(owner, tag, id) for owner in self.owners for tag, id in owner.held.items()]

    # -- submitters

    @rule(step=st.sampled_from([0, 3]), delayed=st.booleans(), expired=st.integers(0, 5))
    def submit(self, step: int, delayed: bool, expired: int) -> None:
        self.act(Actor.SUBMITTER).submit(step, delayed=delayed, expired=expired == 0)

    @rule(number=st.integers(0, 100))
    @precondition(lambda self: self.platform.runs)
    def submit_again(self, number: int) -> None:
        id = self.pick(self.platform.runs, number)
        known = self.seen[id].state is not None
        if known:
            self.act(Actor.SUBMITTER).submit(0, again=id)

    @rule(eta=st.integers(0, 3))
    def send_stock(self, eta: int) -> None:
        self.act(Actor.SUBMITTER).send_stock(eta=eta == 0)

    # -- workers

    @rule(who=st.integers(0, 1), wanted=st.integers(1, 4), answer_lost=st.integers(0, 5))
    def reserve(self, who: int, wanted: int, answer_lost: int) -> None:
        owner = self.owners[who]
        old = (owner.owner, dict(owner.held))
        self.act(Actor.WORKER).reserve(owner, wanted, answer_lost=answer_lost == 0)
        if owner.owner != old[0]:
            ghost = Owner(owner.group, old[0])
            self.stale += [(ghost, tag, id) for tag, id in old[1].items()]

    @rule(number=st.integers(0, 100))
    @precondition(lambda self: self.holding())
    def start(self, number: int) -> None:
        owner, tag, id = self.pick(self.holding(), number)
        self.tell(owner, Start(tag, id))

    @rule(number=st.integers(0, 100), state=st.sampled_from([State.SUCCEEDED, State.FAILED, State.DEAD]))
    @precondition(lambda self: self.holding())
    def finish(self, number: int, state: State) -> None:
        owner, tag, id = self.pick(self.holding(), number)
        self.tell(owner, Finish(tag, id, state, reason="memory" if state is State.DEAD else ""))

    @rule(number=st.integers(0, 100), front=st.booleans(), forgiven=st.booleans())
    @precondition(lambda self: self.holding())
    def requeue(self, number: int, front: bool, forgiven: bool) -> None:
        owner, tag, id = self.pick(self.holding(), number)
        self.tell(owner, Requeue(tag, id, front=front, forgiven=forgiven))

    @rule(number=st.integers(0, 100), delayed=st.booleans())
    @precondition(lambda self: self.holding())
    def retry(self, number: int, delayed: bool) -> None:
        owner, tag, id = self.pick(self.holding(), number)
        self.tell(owner, self.retry_of(tag, id, delayed))

    def retry_of(self, tag: str, id: str, delayed: bool) -> Retry:
        text: Any = self.client.hget(f"celeriac:unacked:{self.group_of(tag)}", tag)
        due = FAR if delayed else 0
        list_ = tag.split("|", 2)[2]
        return Retry(tag, id, "shop.report", list_, "default", 0, text or b"{}", due=due, retries=1)

    def group_of(self, tag: str) -> str:
        owner = tag.partition("|")[0]
        every = [*self.owners, *(ghost for ghost, _, _ in self.stale)]
        return next(each.group for each in every if each.owner == owner)

    def tell(self, owner: Owner, entry: Entry) -> None:
        """Tell a step, and note what it means for the count of deliveries if it stands."""
        platform = self.act(Actor.WORKER)
        stands = entry.tag in self.seen[entry.id].held
        if stands and isinstance(entry, Retry):
            self.fresh.add(entry.id)
        if stands and isinstance(entry, Requeue) and entry.forgiven:
            self.forgiven.add(entry.id)
        assert platform.tell(owner, entry) == stands, f"{entry} stood, or not, against what Redis has"

    @rule(number=st.integers(0, 100), how=st.sampled_from(["start", "finish", "requeue", "retry"]))
    @precondition(lambda self: self.stale)
    def say_too_late(self, number: int, how: str) -> None:
        """A worker that was paused past its lease goes on: nothing it says of the past may count."""
        ghost, tag, id = self.pick(self.stale, number)
        entries: dict[str, Entry] = {
            "start": Start(tag, id),
            "finish": Finish(tag, id, State.SUCCEEDED),
            "requeue": Requeue(tag, id),
            "retry": self.retry_of(tag, id, delayed=False),
        }
        still_held = tag in self.seen[id].held
        if not still_held:
            assert not self.act(Actor.WORKER).tell(ghost, entries[how])

    @rule(who=st.integers(0, 1))
    def renew(self, who: int) -> None:
        self.act(Actor.WORKER).renew(self.owners[who])

    @rule(who=st.integers(0, 1))
    def lose(self, who: int) -> None:
        """A worker is killed, or paused: its lease ends, and another process takes its place."""
        owner = self.owners[who]
        self.act(Actor.WORKER).let_lease_end(owner)
        self.stale += [(owner, tag, id) for tag, id in owner.held.items()]
        self.owners[who] = self.platform.owner(owner.group)

    # -- leader and operator

    @rule(number=st.integers(0, 100))
    @precondition(lambda self: self.platform.runs)
    def promote(self, number: int) -> None:
        platform = self.act(Actor.LEADER)
        platform.let_fall_due(self.pick(platform.runs, number))
        platform.promote()

    @rule()
    def reclaim(self) -> None:
        """What a lost worker cannot have begun, by its slots and the order of hand-out, is not counted."""
        platform = self.act(Actor.LEADER)
        of_owner: dict[str, list[tuple[int, str]]] = {}
        for id, run in self.seen.items():
            for tag in run.held:
                owner, sequence, _ = tag.split("|", 2)
                of_owner.setdefault(owner, []).append((int(sequence), id))
        for held in of_owner.values():
            behind = [id for _, id in sorted(held)[SLOTS:]]
            self.forgiven |= {id for id in behind if self.seen[id].state is not State.RUNNING}
        platform.reclaim()

    @rule()
    def trim(self) -> None:
        self.act(Actor.LEADER).trim()

    @rule(number=st.integers(0, 100))
    @precondition(lambda self: self.platform.runs)
    def cancel(self, number: int) -> None:
        platform = self.act(Actor.OPERATOR)
        platform.cancel(self.pick(platform.runs, number))

    @rule(number=st.integers(0, 100))
    @precondition(lambda self: any(run.dead for run in self.seen.values()))
    def replay(self, number: int) -> None:
        id = self.pick([id for id, run in self.seen.items() if run.dead], number)
        platform = self.act(Actor.OPERATOR)
        self.fresh.add(id)
        assert platform.replay(id) == State.QUEUED

    @rule(number=st.integers(0, 100))
    @precondition(lambda self: any(run.dead for run in self.seen.values()))
    def purge(self, number: int) -> None:
        id = self.pick([id for id, run in self.seen.items() if run.dead], number)
        self.act(Actor.OPERATOR).purge(id)

    # -- what must hold

    @invariant()
    def hold(self) -> None:
        now = look(self.client, self.platform.runs, GROUPS)
        for id, run in now.items():
            before = self.seen.get(id)
            check_place(id, run)
            check_move(id, self.actor, before, run)
            self.check_deliveries(id, before, run)
        assert sum(run.dead for run in now.values()) <= DELIVERY.dead_letter_limit
        self.seen = now
        self.fresh.clear()
        self.forgiven.clear()

    def check_deliveries(self, id: str, before: Standing | None, run: Standing) -> None:
        """Invariant 3: deliveries are counted when handed out, and end at the limit."""
        handed = self.handed.get(id, 0)
        # A retry and a requeue of a run whose cancellation was asked for end it, and leave its count alone.
        if id in self.fresh and run.state in (State.RETRYING, State.QUEUED):
            handed = 0
        given_back = before is not None and before.held and not run.held and run.state is State.REQUEUED
        handed -= bool(id in self.forgiven and given_back)
        handed += len(set(run.held) - set(before.held if before is not None else ()))
        self.handed[id] = handed
        assert run.deliveries == handed, f"{id} was handed out {handed} times, its record says {run.deliveries}"
        assert handed <= DELIVERY.max_deliveries, f"{id} was handed out {handed} times"

    def teardown(self) -> None:
        """Everything comes to an end: with workers that finish what they get, no run is left behind."""
        if not hasattr(self, "platform"):
            return
        platform = self.platform
        for owner in self.owners:
            platform.let_lease_end(owner)
        for id in platform.runs:
            platform.let_fall_due(id)
        last = platform.owner("a")
        for _ in range(4 * len(platform.runs) + 10):
            platform.reclaim()
            platform.promote()
            platform.reserve(last, 10)
            for tag, id in list(last.held.items()):
                assert platform.tell(last, Finish(tag, id, State.SUCCEEDED))
        for id, run in look(self.client, platform.runs, GROUPS).items():
            assert run.state is not None, f"{id} was lost"
            assert run.state in FINAL or (run.state is State.SCHEDULED and run.delayed), f"{id} is stuck: {run}"
        assert sum(self.client.llen(name) for name in LISTS) == 0


@pytest.mark.timeout(600)
def test_no_order_of_steps_loses_or_doubles_a_run(shared_server: Server) -> None:
    with shared_server.client() as client:
        machine = type("DeliveryOnServer", (Delivery,), {"client": client})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=200,
                stateful_step_count=40,
                deadline=None,
                report_multiple_bugs=False,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )
