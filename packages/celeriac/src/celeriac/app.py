"""The Celery application, built from settings.

The *sender* holds no result backend: with one, each send subscribes and blocks for as long as Redis is away. The
*worker* has all. The *observer*, such as Flower, is on kombu's own transport, whose kind it has to recognise to show
the queues; it takes no runs, so it needs no leases.
"""

from typing import Any, Literal

from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError

from celeriac import drain
from celeriac.amqp import AMQP
from celeriac.broker import broker_url, transport_options
from celeriac.events import Events
from celeriac.redis import tls_options
from celeriac.results import MAX_RETRIES, backend_url
from celeriac.routing import routes
from celeriac.settings import Settings

Role = Literal["sender", "worker", "observer"]


def create_app(settings: Settings, role: Role) -> Celery:
    """Return a Celery app that follows *settings*. It connects when first used."""
    app = Celery("celeriac", set_as_current=role == "worker", amqp=AMQP, events=Events, task_cls="celeriac.task:Task")
    app.conf.update(_common(settings))
    if role == "worker":
        app.conf.update(_worker(settings))
        drain.install()
    if role == "observer":
        app.conf.broker_transport = None
    return app


def _common(settings: Settings) -> dict[str, Any]:
    task = settings.task
    return {
        "broker_url": broker_url(settings.redis),
        "broker_transport": "celeriac.transport:"
        + ("SentinelTransport" if settings.redis.uses_sentinel else "RedisTransport"),
        "broker_transport_options": {
            **transport_options(settings.redis),
            "max_retries": 0,
            "celeriac": {
                "group": settings.worker.group,
                "keep_seconds": settings.result.expires_seconds,
                **settings.delivery.model_dump(),
            },
        },
        "broker_use_ssl": tls_options(settings.redis) or None,
        "broker_connection_timeout": settings.redis.connect_timeout,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_pool_acquire_timeout": settings.redis.timeout,
        "accept_content": [task.serializer],
        "task_serializer": task.serializer,
        "result_serializer": task.serializer,
        "result_accept_content": [task.serializer],
        "timezone": settings.scheduler.timezone,
        "enable_utc": True,
        "task_queues": [Queue(name, routing_key=name) for name in task.queues],
        "task_default_queue": task.default_queue,
        "task_default_priority": task.default_priority,
        "task_create_missing_queues": False,
        "task_routes": routes(task),
        "task_inherit_parent_priority": True,
        "task_time_limit": task.time_limit,
        "task_soft_time_limit": task.soft_time_limit,
        "task_acks_late": task.acks_late,
        "task_reject_on_worker_lost": task.reject_on_worker_lost,
        "task_track_started": task.track_started,
        "task_send_sent_event": True,
    }


def _worker(settings: Settings) -> dict[str, Any]:
    worker = settings.worker
    return {
        # What a run sends (a chain's next link, a run of its own) waits for Redis as the run itself would: a
        # chain whose link was given up would never end. The run's time limit bounds the wait.
        "task_publish_retry_policy": {
            "max_retries": None,
            "interval_start": 0.1,
            "interval_step": 0.2,
            "interval_max": 2,
            # How kombu says that it found no server for a new channel within broker_connection_timeout.
            "retry_errors": (OperationalError,),
        },
        "result_backend": backend_url(settings.result.backend),
        "result_backend_max_retries": MAX_RETRIES if settings.result.backend else float("inf"),
        "celeriac_redis": settings.redis,
        "celeriac_result": settings.result,
        "celeriac_result_max_bytes": settings.result.max_bytes,
        "worker_consumer": "celeriac.consumer:Consumer",
        "worker_enable_prefetch_count_reduction": False,
        "result_backend_transport_options": {
            **transport_options(settings.redis),
            **({"global_keyprefix": settings.result.prefix} if settings.result.prefix else {}),
        },
        "result_backend_always_retry": True,
        "result_expires": settings.result.expires_seconds,
        "result_extended": settings.result.extended,
        "result_compression": None if settings.result.compression == "none" else settings.result.compression,
        "result_persistent": settings.result.persistent,
        "redis_socket_timeout": settings.redis.timeout,
        "redis_socket_connect_timeout": settings.redis.connect_timeout,
        "redis_socket_keepalive": True,
        "worker_concurrency": worker.concurrency,
        "worker_sync_threads": worker.sync_threads,
        "worker_prefetch_multiplier": worker.prefetch_multiplier,
        "worker_max_tasks_per_child": worker.max_tasks_per_child or None,
        "worker_max_memory_per_child": worker.max_memory_per_child_kib or None,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": worker.events,
        "worker_disable_rate_limits": not worker.rate_limits,
        "include": ["celeriac.canvas"],
    }
