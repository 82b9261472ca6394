"""Celery with the gevent pool, on its stock Redis transport and result backend."""

import os
import sys
import time
from typing import Any

from bench.peers.marks import hit
from celery import Celery

app = Celery("gevent_peer", broker=os.environ["BENCH_REDIS"], backend=os.environ["BENCH_REDIS"])
app.conf.result_backend_thread_safe = True  # or each greenlet opens a connection of its own


@app.task(name="noop")
def noop() -> None:
    hit()


@app.task(name="io")
def io() -> None:
    time.sleep(0.05)
    hit()


def fill(kind: str, count: int) -> None:
    from celeriac import message
    from celeriac.submit import new_id

    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        client = channel.client
        for start in range(0, count, 1000):
            texts = [
                message.encode(id=new_id(), task=kind, args=(), kwargs={}, queue="celery", priority=0)
                for _ in range(min(1000, count - start))
            ]
            client.lpush("celery", *texts)


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]))
