"""The channel: kombu's Redis channel, with task queues consumed under leases and task messages sent with a record."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from random import uniform
from typing import TYPE_CHECKING, Any

import redis
import structlog
from kombu.transport import redis as kombu_redis
from kombu.utils.json import dumps, loads
from kombu.utils.objects import cached_property

from celeriac import keys, scripts
from celeriac.dead_letters import Reason
from celeriac.delivery import Delivery
from celeriac.message import milliseconds, readable_id
from celeriac.outbox import Finish
from celeriac.redis import is_unreachable
from celeriac.session import Session
from celeriac.sessions import open_session
from celeriac.states import State
from celeriac.transport.feed import Feed
from celeriac.transport.options import session_options
from celeriac.transport.qos import QoS
from celeriac.transport.subscription import Subscription

if TYPE_CHECKING:
    from celeriac.transport.transport import RedisTransport

log = structlog.get_logger(__name__)

_REFUSED_WAIT = (0.1, 0.4)
"""Seconds before a publish is tried again that the server refused."""
_UNLIMITED = 100
"""Messages held at a time where Celery sets no limit (a prefetch multiplier of 0)."""


_Channel: Any = kombu_redis.Channel
_SentinelChannel: Any = kombu_redis.SentinelChannel


class LeasedChannel(_Channel):
    """Queues that are consumed with acknowledgement come by lease; others (replies) and fanout stay kombu's own."""

    QoS = QoS
    do_restore = False
    connection: "RedisTransport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.session: Session | None = None
        self.feed: Feed | None = None
        self.free_slots: Callable[[], int] | None = None
        """How many runs could start now; set where prefetching is disabled."""
        self._leased: list[str] = []
        self._parameters: dict[bool, dict[str, Any]] = {}
        super().__init__(*args, **kwargs)
        self._connparams()

    # -- consuming

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        leased = not no_ack and queue not in self._fanout_queues
        if leased and queue not in self._leased:
            self._leased.append(queue)
        result = super().basic_consume(queue, no_ack, *args, **kwargs)
        if leased:
            if self.feed is None:
                self.session = open_session(session_options(self.connection.client))
                self.feed = Feed(self.session, self)
            self.feed.wake()
        return result

    def _basic_cancel(self, consumer_tag: str) -> Any:
        queue = self._tag_to_queue.get(consumer_tag)
        if queue in self._leased:
            self._leased.remove(queue)
        return super()._basic_cancel(consumer_tag)

    @cached_property
    def subclient(self) -> Subscription:
        """What kombu hears fanout messages by."""
        return Subscription(self._create_client(asynchronous=True).connection_pool)

    @property
    def active_queues(self) -> list[str]:
        """Queues that kombu's own BRPOP serves."""
        return [queue for queue in super().active_queues if queue not in self._leased]

    # -- what the feed asks of its sink

    def room(self) -> int:
        qos = self.qos
        if not qos.can_consume():
            return 0
        room: int | None = qos.can_consume_max_estimate()
        if room is None:
            room = _UNLIMITED - len(qos._delivered) + len(qos._dirty)  # noqa: SLF001  # as kombu's estimate counts
        if self.free_slots is not None:
            room = min(room, self.free_slots())
        return max(0, room)

    def lists(self) -> tuple[Sequence[str], int]:
        queues = sorted(self._leased) if self.queue_order_strategy == "sorted" else self._leased
        lists = [self._q_for_pri(queue, step) for step in self.priority_steps for queue in queues]
        if self.queue_order_strategy != "round_robin":
            return lists, 1
        self._leased = self._leased[1:] + self._leased[:1]
        return lists, len(queues) or 1

    def watch(self, fd: int) -> None:
        self.connection.cycle.watch(self, fd)

    def unwatch(self, fd: int) -> None:
        self.connection.cycle.unwatch(fd)

    def deliver(self, delivery: Delivery) -> None:
        queue = delivery.tag.split("|", 2)[2].partition(self.sep)[0]
        try:
            payload = loads(delivery.message)
            properties = payload["properties"]
            properties["delivery_tag"] = delivery.tag
            properties.setdefault("delivery_info", {})["redelivered"] = delivery.deliveries > 1
            properties["deliveries"] = delivery.deliveries
        except Exception as error:
            self.bury(delivery.tag, readable_id(delivery.message), Reason.UNDECODABLE, repr(error))
            return
        self.connection._deliver(payload, queue)  # noqa: SLF001  # how kombu's channels hand over what they read

    def bury(self, tag: str, run_id: str, reason: str, error: str) -> None:
        """Make a dead letter of a delivery that no task can run."""
        if self.session is not None:
            self.session.tell(Finish(tag, run_id, State.DEAD, error=error, reason=reason))
        if self._qos is not None:
            self._qos.settled(tag)

    def on_room(self) -> None:
        """Look whether more can be taken, now that a place came free. From any thread."""
        if self.session is not None:
            self.session.notify()

    # -- sending

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        headers = message.get("headers") or {}
        if not headers.get("id") or not headers.get("task") or "_publish_batch" in kwargs:
            super()._put(queue, message, **kwargs)
            return
        self._submit(queue, message, headers)

    def _queue_bind(self, *args: Any, **kwargs: Any) -> None:
        with _retried_by_kombu():
            super()._queue_bind(*args, **kwargs)

    def _submit(self, queue: str, message: dict[str, Any], headers: dict[str, Any]) -> None:
        if self.closed:  # kombu reconnected while it declared the queue, and goes on with this channel
            raise redis.ConnectionError("the channel was closed with its connection")
        priority = self._get_message_priority(message, reverse=False)
        with _retried_by_kombu(), self.conn_or_acquire() as client:
            scripts.run(
                client,
                "submit",
                [keys.RUN + headers["id"], self._q_for_pri(queue, priority)],
                submit_arguments(queue, priority, message, headers, self.connection.delay_threshold),
            )

    # -- closing

    def _after_fork(self) -> None:
        # A child closes its copies of the connections, and must not take them out of the poller it shares.
        self._registered = False
        super()._after_fork()

    def close(self) -> None:
        if self.feed is not None:
            self.feed.close()
            self.feed = None
        super().close()

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Return the connection's parameters, which kombu still asks for when the transport has lost its client."""
        if asynchronous not in self._parameters:
            self._parameters[asynchronous] = super()._connparams(asynchronous=asynchronous)
        return dict(self._parameters[asynchronous])


class LeasedSentinelChannel(LeasedChannel, _SentinelChannel):
    """The same through Sentinel."""


@contextlib.contextmanager
def _retried_by_kombu() -> Iterator[None]:
    """Turn the refusal of a server that cannot serve now into the kind of error after which kombu tries again.

    That it does at once, where the connection stands; so the wait is here.
    """
    try:
        yield
    except redis.ResponseError as error:
        if is_unreachable(error):
            time.sleep(uniform(*_REFUSED_WAIT))
            raise redis.ConnectionError(str(error)) from error
        raise


def submit_arguments(
    queue: str, priority: int, message: dict[str, Any], headers: dict[str, Any], threshold: float
) -> list[scripts.Argument]:
    """Return the arguments of the ``submit`` script for a message as kombu built it."""
    fields: list[scripts.Argument] = []
    for name, header in (("parent", "parent_id"), ("root", "root_id"), ("group", "group"), ("retries", "retries")):
        if headers.get(header):
            fields += (name, headers[header])
    return [
        headers["id"],
        headers["task"],
        queue,
        priority,
        milliseconds(headers.get("eta")),
        milliseconds(headers.get("expires")),
        round(threshold * 1000),
        dumps(message),
        *fields,
    ]
