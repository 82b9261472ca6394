"""What passes between Redis and a worker process: wishes for messages, and the messages it was handed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """What a session needs to know."""

    redis: RedisSettings
    group: str = "default"
    worker: str = ""
    """The worker's name, as records show it."""
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    keep_seconds: int = 86_400
    """How long the record of a finished run is kept."""


class Delivery(NamedTuple):
    """A message handed to this process."""

    tag: str
    message: bytes
    deliveries: int
    """How often it has been handed out, this time included."""
    waited: float
    """Seconds since it was submitted or fell due."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """A wish for up to *count* messages of *lists*, in which *width* lists share each priority step."""

    count: int
    lists: Sequence[str]
    width: int


class Reserved(NamedTuple):
    """The answer to a :class:`Reserve`; the deliveries themselves are in ``Session.pending``."""

    taken: int
    left: bool
    """Whether messages wait in the lists, as far as one can tell."""
