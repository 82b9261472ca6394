"""Hearing that a run this worker holds is to be cancelled.

The fact is in the run's record, where reserve, a retry and :func:`celeriac.task.cancelled` find it. What is published
beside it, on the group's channel, only makes it quick: a run that waits here ends at once, and one that is to be
terminated is.
"""

import threading
import time
from collections.abc import Callable, Collection

import redis
import structlog
from redis.client import PubSub

from celeriac import keys
from celeriac.forking import undisturbed

log = structlog.get_logger(__name__)

_READ_SECONDS = 5.0
_RECONNECT_SECONDS = 1.0

_UNFOUND_SECONDS = 10.0
"""How long a cancellation is kept of a run that was handed out but has not reached its consumer yet."""
_UNFOUND_WAIT = 0.1

Listener = Callable[[str, bool], bool]
"""Called with a run's id, and whether it is to be terminated if it runs. Returns whether it knows the run."""


class Cancels:
    """Listens on the channel of *group*, in a thread, and calls *listener* from there. It closes *client*.

    *held* tells the ids of the runs that wait or run here: what was published while nobody listened is read from
    their records.
    """

    def __init__(
        self, client: redis.Redis, group: str, listener: Listener, held: Callable[[], Collection[str]]
    ) -> None:
        self._client = client
        self._channel = keys.CANCELS + group
        self._listener = listener
        self._held = held
        self._unfound: dict[str, tuple[bool, float]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="celeriac-cancels", daemon=True)

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def stop(self) -> None:
        """Stop within some seconds; the thread ends with the process at the latest."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
                    with undisturbed:
                        pubsub.subscribe(self._channel)
                    self._listen(pubsub)
            except (redis.RedisError, OSError):
                self._stopped.wait(_RECONNECT_SECONDS)
        self._client.close()

    def _catch_up(self) -> None:
        ids = list(self._held())
        with self._client.pipeline(transaction=False) as pipe:
            for id in ids:
                pipe.hmget(keys.RUN + id, ["cancel", "cancel_hard"])
            answers = pipe.execute() if ids else []
        for id, (asked, hard) in zip(ids, answers, strict=True):
            if asked:
                self._listener(id, bool(hard))

    def _listen(self, pubsub: PubSub) -> None:
        heard = time.monotonic()
        while not self._stopped.is_set():
            message = pubsub.get_message(timeout=_UNFOUND_WAIT if self._unfound else _READ_SECONDS)
            if message is not None and message["type"] == "subscribe":
                self._catch_up()  # redis-py subscribes again by itself after a cut
            elif message is not None and message["type"] == "message":
                how, _, run = message["data"].decode().partition(" ")
                self._unfound[run] = (how == "hard", time.monotonic() + _UNFOUND_SECONDS)
            elif time.monotonic() - heard > 4 * _READ_SECONDS:
                pubsub.ping()
                heard = time.monotonic()
            self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        for run, (hard, until) in tuple(self._unfound.items()):
            if self._listener(run, hard) or now > until:
                del self._unfound[run]
