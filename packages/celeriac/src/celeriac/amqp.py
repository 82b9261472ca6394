"""Sending task messages: a run that sends itself again does so with its acknowledgement, not before it."""

from collections.abc import Callable
from typing import Any

from celery.app.amqp import AMQP as CeleryAMQP  # noqa: N811  # Celery's name for it
from kombu.compression import compress
from kombu.serialization import dumps as serialize
from kombu.utils.json import dumps
from kombu.utils.objects import cached_property

from celeriac import keys, message
from celeriac.capture import Capture, Resend, of_current
from celeriac.connection import Connection


class AMQP(CeleryAMQP):
    """Celery's, with :meth:`Task.retry <celery.app.task.Task.retry>` made safe.

    Stock Celery publishes the retry and then acknowledges, on two connections: a crash in between leaves two
    messages, and a publish that fails ends the run. Here the message is kept, and one script
    acknowledges and sends.
    """

    Connection = Connection

    @cached_property
    def send_task_message(self) -> Callable[..., Any]:
        send: Callable[..., Any] = super().send_task_message

        def send_task_message(producer: Any, name: str, task_message: Any, **options: Any) -> Any:
            capture = of_current(task_message.headers["id"]) if "id" in task_message.headers else None
            if capture is None:
                return send(producer, name, task_message, **options)
            keeper = _Keeper(self, capture)
            return send(keeper, name, task_message._replace(sent_event=None), **{**options, "retry": False})

        return send_task_message


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
