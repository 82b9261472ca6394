"""What a worker process holds of Redis: its lease, its deliveries and what it has yet to tell of them.

Deliveries come in and their outcomes go out by :meth:`Session.exchange`, one row of scripts at a time. The main loop
calls it with a wish for messages; the keeper (:mod:`celeriac.keeper`) without one, when the main loop is busy.
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from random import uniform
from typing import Any

import redis
import structlog

from celeriac import keys
from celeriac.delivery import Delivery, Reserve, Reserved, SessionOptions
from celeriac.keeper import Keeper
from celeriac.lease import Lease
from celeriac.outbox import Entry, Outbox, Requeue, Start, calls
from celeriac.redis import connect, is_unreachable
from celeriac.wire import Command, ScriptCall, Wire

log = structlog.get_logger(__name__)

OUTAGE_WAIT = (0.05, 1.0)
"""First and longest wait between attempts to reach Redis."""
OUTBOX_LIMIT = 10_000
"""Entries at which the worker takes nothing new: Redis is away or too slow for it."""


class Session:
    """One per worker process. Its thread ends with :meth:`close`."""

    def __init__(self, options: SessionOptions) -> None:
        self.options = options
        self.worker = options.worker
        """The worker's name, as records show it. Its consumer sets it."""
        self.lease = Lease(options.group, options.delivery.lease_seconds)
        self.outbox = Outbox()
        self.held: dict[str, Any] = {}
        """Tag -> what is known of each delivery that Redis counts as this process': the delivery, the request that
        runs it, or the outbox entry that ends it."""
        self.pending: deque[Delivery] = deque()
        """Held, but not handed to a consumer yet."""
        self.draining = False
        """Set when nothing more is to be taken."""
        self.stale = 0
        """Outcomes that were refused because the delivery was another's by then."""
        self.down = False
        """Whether Redis did not answer the last time; the keeper waits until it does."""
        self.retry_at = 0.0
        """When to try again (monotonic)."""
        self.client = connect(options.redis)
        """Client of the same Redis, for whoever lives in this process."""
        self._wait = OUTAGE_WAIT[0]
        self._sequence = 0
        self._unanswered = 0
        self._exchanging = threading.Lock()
        self._listeners: set[Callable[[], None]] = set()
        self._pid = os.getpid()
        self._keeper = Keeper(self)

    @property
    def full(self) -> bool:
        """Whether so much waits to be told that nothing new may be taken."""
        return len(self.outbox) >= OUTBOX_LIMIT

    @property
    def holding(self) -> bool:
        """Whether anything is held under the lease of now."""
        owner = self.lease.owner
        return any(tag.startswith(owner) for tag in tuple(self.held))

    def start(self) -> None:
        """Start the keeper."""
        self._keeper.start()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call *listener*, from any thread, when there is something for the main loop to do."""
        self._listeners.add(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Stop calling *listener*."""
        self._listeners.discard(listener)

    def notify(self) -> None:
        """Wake the main loop: a place came free, an outcome waits, or Redis is back."""
        for listener in tuple(self._listeners):
            listener()

    def tell(self, entry: Entry) -> None:
        """Put a step of a delivery in the outbox. From any thread."""
        if not isinstance(entry, Start) and entry.tag in self.held:
            self.held[entry.tag] = entry
        if self.outbox.add(entry):
            self._keeper.kick()
        self.notify()

    def exchange(self, wire: Wire, reserve: Reserve | None = None, also: Sequence[Command] = ()) -> Reserved:
        """Send what is in the outbox and take new messages, in one round trip.

        *also* are commands whose answers say whether messages are left; the answer is then true when any is not 0.
        After a failure Redis counts as down until the keeper has reached it again.

        Raises:
            redis.RedisError: Redis did not answer, or refused for now. Nothing is lost: what was to be told is told
                again, and messages handed out meanwhile are found by the next reserve.
        """
        with self._exchanging:
            try:
                return self._exchange(wire, reserve, also)
            except (redis.RedisError, OSError) as error:
                self.fail(error)
                raise

    def _exchange(self, wire: Wire, reserve: Reserve | None, also: Sequence[Command]) -> Reserved:
        rows = calls(self.outbox.take(), time.monotonic())
        out: list[ScriptCall | Command] = [
            ScriptCall(row.script, [self.lease.unacked], [*self._head(row.script), *row.arguments]) for row in rows
        ]
        asked = time.monotonic()
        if reserve is not None:
            out.append(self._reserve(reserve))
        answers = wire.send([*out, *also])
        for answer in answers:
            if isinstance(answer, redis.ResponseError) and is_unreachable(answer):
                raise answer
        for row, answer in zip(rows, answers, strict=False):
            self._settle(row.entries, answer)
        count = self._take(answers[len(rows)], asked) if reserve is not None else 0
        self._wait = OUTAGE_WAIT[0]
        return Reserved(count, any(answer != 0 for answer in answers[len(out) :]))

    def _head(self, script: str) -> tuple[str | int, ...]:
        """Return the arguments of *script* that are the same for each entry."""
        keep, delivery = self.options.keep_seconds, self.options.delivery
        if script == "start":
            return (self.worker,)
        if script == "finish":
            return (self.worker, keep, delivery.dead_letter_limit)
        if script == "retry":
            return (self.worker, round(delivery.delay_threshold_seconds * 1000), keep)
        return (keep,)

    def _reserve(self, reserve: Reserve) -> ScriptCall:
        delivery = self.options.delivery
        first, lost = self._sequence + 1, self._unanswered
        self._sequence += reserve.count
        self._unanswered += reserve.count
        return ScriptCall(
            "reserve",
            [self.lease.unacked, keys.LEASES, *reserve.lists],
            [
                self.lease.owner,
                self.lease.name,
                reserve.count,
                first,
                lost,
                int(self.holding),
                self.lease.milliseconds,
                reserve.width,
                delivery.max_deliveries,
                round(delivery.delay_threshold_seconds * 1000),
                delivery.dead_letter_limit,
                self.options.keep_seconds,
            ],
        )

    def _take(self, answer: Any, asked: float) -> int:
        """Hold what a reserve handed out, and return how many that is."""
        if isinstance(answer, redis.ResponseError):
            raise answer
        self._unanswered = 0
        if not answer[0]:
            self._lose_lease()
            return 0
        count = len(answer) // 4
        if count:
            self.lease.renewed_at = asked
        for i in range(1, len(answer), 4):
            delivery = Delivery(answer[i].decode(), answer[i + 1], answer[i + 2], answer[i + 3] / 1000)
            self.held[delivery.tag] = delivery
            self.pending.append(delivery)
        return count

    def _settle(self, entries: Sequence[Entry], answer: Any) -> None:
        if isinstance(answer, redis.ResponseError):
            self._refused(entries[0], answer)
            return
        self.outbox.confirm(len(entries))
        for entry, stood in zip(entries, answer, strict=True):
            if not isinstance(entry, Start):
                self.held.pop(entry.tag, None)
            if not stood and entry.attempts == 1:
                self.stale += 1
                log.info("a delivery was another's by then", run=entry.id, step=entry.script, tag=entry.tag)

    def _refused(self, entry: Entry, error: redis.ResponseError) -> None:
        """Deal with a row that failed for a reason that will not pass: give its first delivery back instead.

        The script may have carried out some of its row before it failed; those steps find nothing the second time.
        """
        log.error("redis refused a step of a delivery", run=entry.id, step=entry.script, error=str(error))
        if isinstance(entry, Start | Requeue):
            self.outbox.replace_first(None)
        else:
            self.outbox.replace_first(Requeue(entry.tag, entry.id, front=False, at=entry.at))

    def renew(self, wire: Wire) -> None:
        """Renew the lease. Also the probe of a Redis that was away: what refuses writes refuses this.

        Raises:
            redis.RedisError: Redis did not answer, or refused.
        """
        call = ScriptCall("renew", [keys.LEASES], [self.lease.name, self.lease.milliseconds])
        with self._exchanging:
            asked = time.monotonic()
            (answer,) = wire.send([call])
            if isinstance(answer, redis.ResponseError):
                raise answer
            if answer:
                self.lease.renewed_at = asked
            elif self.holding:
                self._lose_lease()

    def _lose_lease(self) -> None:
        lost = [tag for tag in tuple(self.held) if tag.startswith(self.lease.owner)]
        log.warning("the lease was lost; what runs goes on, but is another's", owner=self.lease.owner, runs=len(lost))
        for tag in lost:
            del self.held[tag]
        self.pending.clear()
        self.lease.replace()

    def fail(self, error: Exception) -> None:
        """Note that Redis does not answer; the keeper takes it from there."""
        if not self.down:
            log.warning("redis does not answer; deliveries wait", error=str(error) or repr(error))
        self.down = True
        self.retry_at = time.monotonic() + uniform(0.5, 1) * self._wait
        self._wait = min(2 * self._wait, OUTAGE_WAIT[1])
        self._keeper.kick()

    def recover(self) -> None:
        """Note that Redis answers again."""
        log.info("redis answers again", outbox=len(self.outbox))
        self.down = False
        self.notify()

    def flush(self, deadline: float) -> bool:
        """Have the outbox sent, for *deadline* seconds at the most, and tell whether it is empty."""
        end = time.monotonic() + deadline
        while len(self.outbox) and time.monotonic() < end:
            self._keeper.kick()
            time.sleep(0.01)
        return not len(self.outbox)

    def close(self, deadline: float = 5) -> None:
        """Send what waits, for *deadline* seconds at the most; give the lease up if nothing is held; end."""
        if os.getpid() != self._pid:
            return
        if self.flush(deadline) and not self.held and not self._unanswered:
            with contextlib.suppress(redis.RedisError, OSError):  # the lease ends by itself
                self.client.zrem(keys.LEASES, self.lease.name)
        self._keeper.stop(deadline)
        self.client.close()
