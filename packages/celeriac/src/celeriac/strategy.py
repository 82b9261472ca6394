"""How a worker turns a message of a task into a request and sees to it that it runs.

Celery's default strategy puts its own tracer and success handler over those of the request class it is given, so this
takes its place (``Task.Strategy``). What it does with events, rate limits, ETAs and revoked ids is the same.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from weakref import ref

from celery import signals
from celery.app import trace as celery_trace
from celery.exceptions import InvalidTaskError, TaskRevokedError
from celery.utils.time import timezone
from celery.worker import state as worker_state
from celery.worker import strategy as worker_strategy
from kombu.asynchronous.timer import to_timestamp

from celeriac.request import Request, Stage
from celeriac.trace import trace, trace_unprepared

logger = logging.getLogger("celery.worker.strategy")

_state: Any = worker_state
_strategy: Any = worker_strategy

Handler = Callable[..., Any]


def default(task: Any, app: Any, consumer: Any, **_: Any) -> Handler:
    """Return the function that takes in a message of *task*."""
    eventer = consumer.event_dispatcher
    tells = bool(eventer and eventer.enabled and task.send_events)
    make = partial(
        request_class(task, app, consumer.pool),
        app=app,
        hostname=consumer.hostname,
        eventer=eventer,
        task=task,
        connection_errors=consumer.connection_errors,
    )
    revoked = consumer.controller.state.revoked
    logs = logger.isEnabledFor(logging.INFO)

    def handle(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> None:
        body, headers, decoded, utc = _decoded(app, message, body)
        request = make(message, on_ack=ack, on_reject=reject, body=body, headers=headers, decoded=decoded, utc=utc)
        if logs:
            _log(request)
        if (request.expires or request.id in revoked) and request.revoked():
            return
        signals.task_received.send(sender=consumer, request=request)
        if tells:
            _tell(eventer, request)
        _schedule(consumer, app, request, callbacks)

    return handle


def _decoded(app: Any, message: Any, body: Any) -> tuple[Any, Any, bool, bool]:
    """Return body, headers, whether the body is decoded, and whether times are UTC, of any message protocol."""
    if body is None and "args" not in message.payload:
        return message.body, message.headers, False, app.uses_utc_timezone()
    if "args" in message.payload:
        hybrid: tuple[Any, Any, bool, bool] = _strategy.hybrid_to_proto2(message, message.payload)
        return hybrid
    first: tuple[Any, Any, bool, bool] = _strategy.proto1_to_proto2(message, body)
    return first


def _log(request: Request) -> None:
    context = {
        "id": request.id,
        "name": request.name,
        "args": request.argsrepr,
        "kwargs": request.kwargsrepr,
        "eta": request.eta,
    }
    logger.info(celery_trace.LOG_RECEIVED, context, extra={"data": context})


def _tell(eventer: Any, request: Request) -> None:
    eventer.send(
        "task-received",
        uuid=request.id,
        name=request.name,
        args=request.argsrepr,
        kwargs=request.kwargsrepr,
        root_id=request.root_id,
        parent_id=request.parent_id,
        retries=request.request_dict.get("retries", 0),
        eta=request.eta and request.eta.isoformat(),
        expires=request.expires and request.expires.isoformat(),
    )


def _schedule(consumer: Any, app: Any, request: Request, callbacks: Any) -> None:
    """Run *request* now, at its time, or when its task's rate limit allows."""
    bucket = None if consumer.disable_rate_limits else consumer.task_buckets[request.task.name]
    if request.eta:
        when = _timestamp(app, request)
        consumer.qos.increment_eventually()
        if bucket:
            entry = consumer.timer.call_at(when, consumer._limit_post_eta, (request, bucket, 1), priority=6)  # noqa: SLF001  # as Celery's strategy does
        else:
            entry = consumer.timer.call_at(when, consumer.apply_eta_task, (request,), priority=6)
        request._eta_timer_entry = entry  # noqa: SLF001  # where Celery's consumer looks to cancel it
        _state.task_scheduled(request)
        return
    if bucket:
        consumer._limit_task(request, bucket, 1)  # noqa: SLF001  # as Celery's strategy does
        return
    _state.task_reserved(request)
    for callback in callbacks or ():
        callback(request)
    consumer.on_task_request(request)


def _timestamp(app: Any, request: Request) -> float:
    try:
        when: float = (
            to_timestamp(timezone.to_system(request.eta)) if request.utc else to_timestamp(request.eta, app.timezone)
        )
    except (OverflowError, ValueError) as error:
        raise InvalidTaskError(f"invalid ETA value {request.eta!r}: {error}") from error
    return when


def request_class(task: Any, app: Any, pool: Any) -> type[Request]:
    """Return the request class of *task*'s runs in *pool*."""
    apply_async = pool.apply_async
    tracer = trace if app.use_fast_trace_task else trace_unprepared
    soft_limit, limit = task.soft_time_limit, task.time_limit
    in_process = pool.body_can_be_buffer
    expires = getattr(task.backend, "expires", None)  # seconds, or a timedelta in a database's
    kept = expires.total_seconds() if isinstance(expires, timedelta) else expires or 0

    class TaskRequest(Request):
        droppable = not pool.uses_semaphore
        result_seconds = int(kept)

        def execute_using_pool(self, pool: Any, **kwargs: Any) -> Any:
            if self.settled or self.revoked():
                raise TaskRevokedError(self.id)
            self.stage = Stage.HANDED_OVER
            own_limit, own_soft_limit = self.time_limits
            if in_process:  # the body was decoded to make the request
                body, content_type = self._payload, None
            else:
                body, content_type = self.body, self.content_type
            result = apply_async(
                tracer,
                args=(self.type, self.id, self.request_dict, body, content_type, self.content_encoding),
                accept_callback=self.on_accepted,
                timeout_callback=self.on_timeout,
                callback=self.on_success,
                error_callback=self.on_failure,
                soft_timeout=own_soft_limit or soft_limit,
                timeout=own_limit or limit,
                correlation_id=self.id,
            )
            self._apply_result = None if result is None else ref(result)
            return result

    return TaskRequest
