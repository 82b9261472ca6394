"""Settings that contradict each other. Each message names both and says what to change."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from celeriac.settings.model import Settings


def contradictions(settings: "Settings") -> Iterator[str]:
    """Yield what cannot be true together."""
    yield from _task(settings)
    yield from _queues(settings)
    yield from _redis(settings)
    yield from _worker(settings)
    yield from _result(settings)
    yield from _scheduler(settings)


def _task(settings: "Settings") -> Iterator[str]:
    task = settings.task
    if task.soft_time_limit >= task.time_limit:
        yield (
            f"CELERIAC_TASK_SOFT_TIME_LIMIT ({task.soft_time_limit:g}) must be below "
            f"CELERIAC_TASK_TIME_LIMIT ({task.time_limit:g}): lower the first or raise the second"
        )
    if task.reject_on_worker_lost and not task.acks_late:
        yield (
            "CELERIAC_TASK_REJECT_ON_WORKER_LOST=true needs CELERIAC_TASK_ACKS_LATE=true, since what has been "
            "acknowledged cannot be given back: set both, or both to false"
        )


def _queues(settings: "Settings") -> Iterator[str]:
    queues = settings.task.queues
    known = f"is not among CELERIAC_TASK_QUEUES ({', '.join(queues)}): add it there"
    if settings.task.default_queue not in queues:
        yield f"CELERIAC_TASK_DEFAULT_QUEUE ({settings.task.default_queue}) {known}"
    for queue in settings.worker.queues:
        if queue not in queues:
            yield f"CELERIAC_WORKER_QUEUES: {queue} {known}"
    for pattern, queue in settings.task.routes.items():
        if queue not in queues:
            yield f"CELERIAC_TASK_ROUTES: {pattern} goes to {queue}, which {known}"


def _redis(settings: "Settings") -> Iterator[str]:
    redis = settings.redis
    for name in ("tls_ca_file", "tls_cert_file", "tls_key_file"):
        if getattr(redis, name) and not redis.uses_tls:
            yield (
                f"CELERIAC_REDIS_{name.upper()} is set but CELERIAC_REDIS_URL ({urlsplit(redis.url).scheme}://) is "
                f"not encrypted: write {urlsplit(redis.url).scheme}s:// or unset the file"
            )
    if bool(redis.tls_cert_file) != bool(redis.tls_key_file):
        yield "CELERIAC_REDIS_TLS_CERT_FILE and CELERIAC_REDIS_TLS_KEY_FILE belong together: set both or neither"
    if redis.sentinel_password and not redis.uses_sentinel:
        yield (
            f"CELERIAC_REDIS_SENTINEL_PASSWORD is set but CELERIAC_REDIS_URL ({urlsplit(redis.url).scheme}://) names "
            "no Sentinel: write sentinel:// or unset the password"
        )
    inline = urlsplit(redis.url).password
    if inline and redis.password and inline != redis.password.get_secret_value():
        yield "CELERIAC_REDIS_PASSWORD differs from the password in CELERIAC_REDIS_URL: take it out of the URL"


def _worker(settings: "Settings") -> Iterator[str]:
    worker = settings.worker
    if worker.autoscale_min > worker.concurrency:
        yield (
            f"CELERIAC_WORKER_AUTOSCALE_MIN ({worker.autoscale_min}) is above CELERIAC_WORKER_CONCURRENCY "
            f"({worker.concurrency}): lower the first or raise the second"
        )
    for name in ("autoscale_min", "max_tasks_per_child", "max_memory_per_child_kib"):
        if name in worker.model_fields_set and getattr(worker, name) and worker.pool != "prefork":
            yield (
                f"CELERIAC_WORKER_{name.upper()} works in the prefork pool only, and CELERIAC_WORKER_POOL is "
                f"{worker.pool}: set it to 0 or take prefork"
            )


def _result(settings: "Settings") -> Iterator[str]:
    result = settings.result
    scheme = urlsplit(result.backend or settings.redis.url).scheme
    in_redis = scheme.startswith(("redis", "sentinel"))
    if result.compression != "none" and not in_redis:
        yield (
            f"CELERIAC_RESULT_COMPRESSION ({result.compression}) works with a Redis backend only, and "
            f"CELERIAC_RESULT_BACKEND is {scheme}://: set the first to none or unset the second"
        )
    if result.prefix and not (result.backend and in_redis):
        yield (
            f"CELERIAC_RESULT_PREFIX ({result.prefix}) is for a Redis that CELERIAC_RESULT_BACKEND names; results "
            "that lie with the runs have names that the API and stock clients know: set the second or unset the first"
        )
    if result.persistent and scheme != "rpc":
        yield (
            f"CELERIAC_RESULT_PERSISTENT is for an rpc:// backend, and results go to {scheme}://: unset the first or "
            "set CELERIAC_RESULT_BACKEND=rpc://"
        )


def _scheduler(settings: "Settings") -> Iterator[str]:
    scheduler = settings.scheduler
    if scheduler.database_url is not None and scheduler.backend != "database":
        yield (
            "CELERIAC_SCHEDULER_DATABASE_URL is set but CELERIAC_SCHEDULER_BACKEND is redis: set it to database, "
            "or unset the URL"
        )
