"""The same task under Celeriac, as its settings make the application."""

import os

import redis
from celery.signals import worker_ready

from celeriac.app import create_app
from celeriac.settings import load

app = create_app(load(), "worker")
app.conf.worker_send_task_events = False


@app.task(name="bench.noop")
def noop() -> None:
    """Do nothing."""


@worker_ready.connect
def tell(**_: object) -> None:
    """Tell the benchmark that this worker consumes."""
    with redis.Redis.from_url(os.environ["CELERIAC_REDIS_URL"]) as client:
        client.incr("bench:ready")
