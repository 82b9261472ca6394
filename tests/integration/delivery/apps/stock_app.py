"""A stock Celery application with a task of the same name as one of ours."""

import os

from celery import Celery

URL = os.environ["CELERIAC_REDIS_URL"]
app = Celery("stock", broker=URL, backend=URL)
app.conf.broker_connection_retry_on_startup = True


@app.task(name="delivery_app.add")
def add(x: int, y: int) -> int:
    return x + y
