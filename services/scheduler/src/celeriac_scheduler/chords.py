"""Chords whose parts are done but whose body was never sent, since the worker that was to send it was lost."""

import json
from typing import Final

import structlog

from celeriac import keys
from celeriac.leader import Leader
from celeriac_scheduler.canvas import Canvas

log = structlog.get_logger(__name__)

_BATCH: Final = 500
_INTERVAL: Final = 2.0


class Chords:
    """The duty of completing them. A body has an id, so that sending it twice is sending it once."""

    name = "chords"

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._cursor = 0

    def turn(self, leader: Leader) -> float:
        self._cursor, parts = leader.client.hscan(keys.CHORDS, self._cursor, count=_BATCH)
        if parts:
            for group in leader.call("chords", [keys.CHORDS], [keys.GROUP, *parts]):
                log.warning("completing a chord whose worker was lost", group=group.decode())
                self._canvas.complete(json.loads(parts[group]))
        return 0 if self._cursor else _INTERVAL

    def stand_by(self) -> None:
        self._cursor = 0
