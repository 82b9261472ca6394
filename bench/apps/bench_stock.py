"""A stock Celery application, as the documentation would have it."""

import os

import redis
from celery import Celery
from celery.signals import worker_ready

URL = os.environ["CELERIAC_REDIS_URL"]
app = Celery("bench", broker=URL, backend=URL if os.environ.get("BENCH_RESULTS") == "1" else None)
app.conf.update(
    task_ignore_result=os.environ.get("BENCH_RESULTS") != "1",
    task_acks_late=os.environ.get("BENCH_ACKS_LATE") == "1",
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=int(os.environ["BENCH_MULTIPLIER"]),
    task_default_queue="default",
)


@app.task(name="bench.noop")
def noop() -> None:
    """Do nothing."""


@worker_ready.connect
def tell(**_: object) -> None:
    """Tell the benchmark that this worker consumes."""
    with redis.Redis.from_url(os.environ["CELERIAC_REDIS_URL"]) as client:
        client.incr("bench:ready")
