"""Dead letters that nobody has looked after are not kept for ever."""

from typing import Final

import structlog

from celeriac import keys
from celeriac.leader import Leader
from celeriac.settings import Settings

log = structlog.get_logger(__name__)

_BATCH: Final = 100
_INTERVAL: Final = 60.0


class DeadLetters:
    """The duty of removing those past ``CELERIAC_DELIVERY_DEAD_LETTER_SECONDS``. Their number is bounded too."""

    name = "dead-letters"

    def __init__(self, settings: Settings) -> None:
        self._arguments = [
            settings.delivery.dead_letter_seconds * 1000,
            _BATCH,
            settings.result.expires_seconds,
        ]

    def turn(self, leader: Leader) -> float:
        removed = leader.call("trim_dead_letters", [keys.DEAD], self._arguments)
        if removed:
            log.warning("old dead letters were removed", count=removed)
        return 0 if removed == _BATCH else _INTERVAL

    def stand_by(self) -> None:
        pass
