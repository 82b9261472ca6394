"""Sending task messages: a run that sends itself again does so with its acknowledgement, not before it."""

from collections.abc import Callable
from typing import Any

from celery.app.amqp import AMQP as CeleryAMQP  # noqa: N811  # Celery's name for it
from kombu.compression import compress
from kombu.pools import ProducerPool
from kombu.serialization import dumps as serialize
from kombu.utils.json import dumps
from kombu.utils.objects import cached_property

from celeriac import keys, message
from celeriac.capture import Capture, Resend, of_current
from celeriac.connection import Connection

_ENDLESSLY = 2**31
"""Retries of one who never gives up, as a number."""


class AMQP(CeleryAMQP):
    """Celery's, with :meth:`Task.retry <celery.app.task.Task.retry>` made safe.

    Stock Celery publishes the retry and then acknowledges, on two connections: a crash in between leaves two
    messages, and a publish that fails ends the run. Here the message is kept, and one script
    acknowledges and sends.
    """

    Connection = Connection
    _producer_pool: ProducerPool | None
    """Where Celery keeps it, and forgets it after a fork."""

    @property
    def producer_pool(self) -> ProducerPool:
        """Producers, each with a connection of the app's pool within ``broker_pool_acquire_timeout``.

        Celery fills its pool twice over, so that setting holds nobody: whoever has a producer waits for a connection
        without a deadline.
        """
        if self._producer_pool is None:
            pool = self.app.pool
            connections: Any = _Connections(pool, self.app.conf.broker_pool_acquire_timeout)
            self._producer_pool = ProducerPool(connections, limit=pool.limit)
        return self._producer_pool

    @cached_property
    def send_task_message(self) -> Callable[..., Any]:
        send: Callable[..., Any] = super().send_task_message

        def send_task_message(
            producer: Any, name: str, task_message: Any, *, retry_policy: dict[str, Any] | None = None, **options: Any
        ) -> Any:
            capture = of_current(task_message.headers["id"]) if "id" in task_message.headers else None
            if capture is None:
                return send(producer, name, task_message, **options, retry_policy=self._policy(retry_policy))
            keeper = _Keeper(self, capture)
            return send(keeper, name, task_message._replace(sent_event=None), **{**options, "retry": False})

        return send_task_message

    def _policy(self, given: dict[str, Any] | None) -> dict[str, Any]:
        """Return the policy of a message with a number of retries.

        Where the policy has none, meant for ever, Celery gives up a callback or a chain's next link after three.
        """
        policy: dict[str, Any] = {**self.app.conf.task_publish_retry_policy, **(given or {})}
        if policy.get("max_retries", 0) is None:
            policy["max_retries"] = _ENDLESSLY
        return policy


class _Connections:
    """A pool of connections that gives kombu's producers one within a deadline."""

    def __init__(self, pool: Any, patience: float | None) -> None:
        self._pool = pool
        self._patience = patience

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def acquire(self, block: bool) -> Any:
        """Return a connection.

        Raises:
            LimitExceeded: all are in use, and none came free in time.
        """
        return self._pool.acquire(block=block, timeout=self._patience)


class _Keeper:
    """Stands in for a kombu producer, and keeps what it is to publish."""

    def __init__(self, amqp: AMQP, capture: Capture) -> None:
        self._amqp = amqp
        self._capture = capture

    def publish(
        self,
        body: Any,
        *,
        exchange: Any = "",
        routing_key: str = "",
        serializer: str | None = None,
        compression: str | None = None,
        headers: dict[str, Any],
        **properties: Any,
    ) -> None:
        for transient in ("retry", "retry_policy", "declare", "timeout", "confirm_timeout"):
            properties.pop(transient, None)
        data: bytes | str
        content_type, encoding, data = serialize(body, serializer=serializer)
        if compression:
            data, headers["compression"] = compress(data, compression)
        queue = self._queue(exchange, routing_key)
        priority = properties.get("priority") or 0
        due = message.milliseconds(headers.get("eta")) / 1000
        self._capture.resend = Resend(
            task=headers["task"],
            queue=queue,
            list=keys.queue_list(queue, priority),
            priority=priority,
            message=dumps(message.envelope(data, content_type, encoding, headers, properties, queue)),
            due=due,
            retries=headers.get("retries") or 0,
        )

    def _queue(self, exchange: Any, routing_key: str) -> str:
        name = getattr(exchange, "name", exchange)
        if not name:
            return routing_key
        for queue in self._amqp.queues.values():
            if queue.exchange.name == name and queue.routing_key == routing_key:
                return str(queue.name)
        raise ValueError(f"no queue of this application is bound to {name!r} by {routing_key!r}")
