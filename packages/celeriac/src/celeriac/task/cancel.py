"""Cooperative cancellation: a running task asks whether somebody wants it to stop."""

import time
from typing import Any

import redis
from celery import Celery, current_task

from celeriac import keys, scripts
from celeriac.task.carrier import offload

_INTERVAL_SECONDS = 1.0


def cancelled() -> bool:
    """Tell whether cancellation of the current run was requested. Call it between steps of long work.

    The answer comes from the run's record, which is read once a second at the most; a loop may call this as often as
    it likes. Once true it stays true, and the run ends as ``cancelled``, whatever its task returns or raises then.
    Outside of a worker it is False.
    """
    if not current_task or current_task.request.called_directly or current_task.request.is_eager:
        return False
    request = current_task.request
    known = vars(request)  # a request lives as long as its run
    if known.get("celeriac_cancelled"):
        return True
    now = time.monotonic()
    if now < known.get("celeriac_cancel_due", 0.0):
        return False
    known["celeriac_cancel_due"] = now + _INTERVAL_SECONDS
    known["celeriac_cancelled"] = answer = offload(_requested, current_task.app, request.id)
    return answer


def _requested(app: Celery, id: str) -> bool:
    connections: Any = app.pool
    with connections.acquire(block=True) as connection:
        client: redis.Redis = connection.default_channel.client
        return bool(scripts.run(client, "hear_cancel", [keys.RUN + id], []))
