"""Runs that ended without a worker, such as dead letters: what waits for them must hear of it."""

import json
from typing import Final

import kombu.exceptions
import redis
import structlog

from celeriac import keys
from celeriac.leader import Leader
from celeriac.states import State
from celeriac_scheduler.canvas import Canvas

log = structlog.get_logger(__name__)

_BATCH: Final = 100
_INTERVAL: Final = 0.5


class Ended:
    """The duty of telling. At least once: what it sends has ids, and a chord counts each part once."""

    name = "ended"

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    def turn(self, leader: Leader) -> float:
        entries = leader.client.lrange(keys.ENDED, -_BATCH, -1)
        for entry in reversed(entries):
            self._tell(entry)
            leader.call("drop_ended", [keys.ENDED], [entry])
        return 0 if len(entries) == _BATCH else _INTERVAL

    def _tell(self, entry: bytes | str) -> None:
        end = json.loads(entry)
        try:
            self._canvas.tell(State(end["state"]), end["reason"], end["message"])
        except (redis.RedisError, kombu.exceptions.OperationalError):
            raise
        except Exception:
            log.exception("nobody could be told of the end of a run", task_id=end["id"], state=end["state"])

    def stand_by(self) -> None:
        pass
