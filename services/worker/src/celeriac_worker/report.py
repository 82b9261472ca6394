"""A worker's word in Redis about itself, for ``/health/celery``: no broadcast is needed to know who is there."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import redis

from celeriac import keys
from celeriac.forking import undisturbed
from celeriac_worker.status import Status

INTERVAL_SECONDS: Final = 5.0
REFRESH_SECONDS: Final = 60.0
"""The catalogue is published again this often, so that a Redis that lost its data has it back; and the names of
workers that went without a word are forgotten."""


class Reporter:
    """Reports from a thread, every few seconds and when the phase changes, whenever Redis answers."""

    def __init__(
        self,
        name: str,
        queues: Sequence[str],
        status: Status,
        client: redis.Redis,
        publish: Callable[[redis.Redis], object],
    ) -> None:
        self._name = name
        self._queues = list(queues)
        self._status = status
        self._client = client
        self._publish = publish
        self._published: float | None = None
        self._started = time.time()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="report", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and take the word back."""
        self._stopped = True
        self._status.changed.set()
        self._thread.join(INTERVAL_SECONDS)
        try:
            self._client.delete(keys.WORKER + self._name)
            self._client.zrem(keys.WORKERS, self._name)
        except redis.RedisError:
            return  # it expires by itself

    def _run(self) -> None:
        while not self._stopped:
            try:
                with undisturbed:  # opening a connection takes locks of the C library
                    self._report()
            except redis.RedisError:
                self._published = None  # the server that comes back may have lost it
            self._status.changed.wait(INTERVAL_SECONDS)
            self._status.changed.clear()

    def _report(self) -> None:
        now = time.time()
        word = {
            "name": self._name,
            "group": self._status.settings.group,
            "queues": self._queues,
            "pool": self._status.settings.pool,
            "concurrency": self._status.settings.concurrency,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "phase": self._status.phase,
            "active": self._status.active(),
            "started": self._started,
            "seen": now,
        }
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(keys.WORKER + self._name, json.dumps(word), ex=keys.WORKER_SILENT_SECONDS)
        pipeline.zadd(keys.WORKERS, {self._name: round(now * 1000)})
        pipeline.execute()
        if self._published is None or now - self._published > REFRESH_SECONDS:
            self._client.zremrangebyscore(keys.WORKERS, "-inf", round((now - keys.WORKER_SILENT_SECONDS) * 1000))
            self._publish(self._client)
            self._published = now
