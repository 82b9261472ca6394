"""Cooperative cancellation: a running task asks whether somebody wants it to stop."""

import time
from typing import Any

import redis
from celery import Celery, current_task
from kombu.exceptions import LimitExceeded, OperationalError

from celeriac import keys, scripts
from celeriac.redis import is_unreachable
from celeriac.task.carrier import offload

_INTERVAL_SECONDS = 1.0


def cancelled() -> bool:
    """Tell whether cancellation of the current run was requested. Call it between steps of long work.

    The answer comes from the run's record, which is read once a second at the most; a loop may call this as often as
    it likes. Once true it stays true, and the run ends as ``cancelled``, whatever its task returns or raises then.
    Outside of a worker, and while Redis does not answer, it is False.
    """
    if not current_task or current_task.request.called_directly or current_task.request.is_eager:
        return False
    request = current_task.request
    known = vars(request)  # a request lives as long as its run
    if known.get("celeriac_cancelled"):
        return True
    asked = time.monotonic()
    if asked < known.get("celeriac_cancel_due", 0.0):
        return False
    known["celeriac_cancelled"] = answer = offload(_requested, current_task.app, request.id)
    answered = time.monotonic()
    # A hung Redis takes at most half of the run's time.
    known["celeriac_cancel_due"] = answered + max(_INTERVAL_SECONDS, answered - asked)
    return answer


def _requested(app: Celery, id: str) -> bool:
    connections: Any = app.pool
    try:
        with connections.acquire(block=True, timeout=app.conf.broker_pool_acquire_timeout) as connection:
            client: redis.Redis = connection.default_channel.client
            return bool(scripts.run(client, "hear_cancel", [keys.RUN + id], []))
    except (redis.RedisError, OperationalError, LimitExceeded, OSError) as error:
        if isinstance(error, redis.RedisError) and not is_unreachable(error):
            raise
        return False  # the request stands, and is heard when Redis is back
