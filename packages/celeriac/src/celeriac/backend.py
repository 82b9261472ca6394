"""Results in Redis: final ones go with the run's acknowledgement, the rest at once.

While a run is traced, what Celery stores of it is kept on its request (see :mod:`celeriac.capture`); the worker's
main process sends it with the final state. Results of other runs (the rest of a failed chain, say) go directly.
"""

import json
import time
from collections.abc import Callable
from functools import cached_property
from random import uniform
from typing import Any, TypeVar

import redis
from celery import states
from celery.backends import redis as celery_redis
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps

from celeriac import artifacts, keys, scripts
from celeriac.capture import Capture, of
from celeriac.chord import Header
from celeriac.progress import Progress
from celeriac.redis import connect, is_unreachable
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import ResultSettings
from celeriac.states import State

T = TypeVar("T")

_KEEP_SECONDS = 86_400
"""How long a record is kept where results are kept for ever."""
_RETRY_WAIT = (0.05, 1.0)
"""First and longest wait between attempts to reach Redis."""


class ResultTooLargeError(EncodeError):
    """The encoded result is larger than ``CELERIAC_RESULT_MAX_BYTES``; the run fails with this."""


_progress = Progress()
"""One for all threads of the process: Celery makes a backend in each."""

_CeleryRedisBackend: Any = celery_redis.RedisBackend


class RedisBackend(_CeleryRedisBackend):
    """Celery's Redis backend, taking its connection and limits from Celeriac's settings."""

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        capture = of(request)
        if capture is None or request.id != task_id:
            stored = super().store_result(task_id, result, state, traceback=traceback, request=request, **kwargs)
            if state in states.PROPAGATE_STATES:
                self._conclude(task_id, state, result)
            return stored
        if state == states.STARTED:  # the record says so, and the end follows
            return result
        if state == states.SUCCESS:
            result = self._hand_over(task_id, result)
        result = self.encode_result(result, state)
        payload = self._payload(task_id, result, state, traceback, request)
        if state in states.READY_STATES or state == states.RETRY:
            self._keep(capture, state, payload)
        else:
            capture.state = state
            progress = json.dumps({"state": state, "meta": result}, default=str)
            _progress.send(self.client, task_id, progress, payload, int(self.expires or 0))
        return result

    def exception_safe_to_retry(self, exc: Exception) -> bool:
        """Tell whether to write again: also after the refusal of a server that cannot serve now."""
        return is_unreachable(exc) or bool(super().exception_safe_to_retry(exc))

    @cached_property
    def _max_bytes(self) -> int | None:
        limit: int | None = self.app.conf.get("celeriac_result_max_bytes")
        return limit

    def _payload(self, task_id: str, result: Any, state: str, traceback: Any, request: Any) -> bytes | str:
        meta = self._get_result_meta(result=result, state=state, traceback=traceback, request=request)
        meta["task_id"] = task_id
        payload: bytes | str = self.encode(meta)
        return payload

    def _keep(self, capture: Capture, state: str, payload: bytes | str) -> None:
        limit = self._max_bytes
        if state == states.SUCCESS and limit and len(payload) > limit:
            raise ResultTooLargeError(
                f"the result is {len(payload)} bytes, {limit} are allowed (CELERIAC_RESULT_MAX_BYTES): "
                "return a reference, or keep it as an artifact"
            )
        capture.state, capture.result = state, payload

    def _hand_over(self, task_id: str, result: Any) -> Any:
        """Keep a result's artifacts, before the run ends and again until Redis is back; return the rest."""
        settings: ResultSettings | None = self.app.conf.get("celeriac_result")
        if settings is None:
            return result
        result, files = artifacts.split(result, settings)
        _persistently(lambda: artifacts.store(self.client, task_id, files, settings))
        return result

    def _conclude(self, task_id: str, state: str, error: Any) -> None:
        """End the record of a run whose place was taken by a chain that has failed before its last step."""
        said = json.dumps({"type": type(error).__qualname__, "message": str(error), "traceback": ""})
        final = State.CANCELLED if state == states.REVOKED else State.FAILED
        keep = int(self.expires or _KEEP_SECONDS)
        _persistently(
            lambda: scripts.run(self.client, "conclude", [keys.RUN + task_id], [task_id, final, said, keep])
        )

    def apply_chord(self, header_result_args: Any, body: Any, **kwargs: Any) -> None:
        """Keep the structure of a chord's header. As what a run sends does, it waits for Redis to take it."""
        stock: Any = super()
        _persistently(lambda: stock.apply_chord(header_result_args, body, **kwargs))

    def set_chord_size(self, group_id: str, chord_size: int) -> None:
        """Keep the number of a chord's parts. As what a run sends does, it waits for Redis to take it."""
        stock: Any = super()
        _persistently(lambda: stock.set_chord_size(group_id, chord_size))

    def on_chord_part_return(self, request: Any, state: str, result: Any, **kwargs: Any) -> Any:
        """Count a part of a chord, again and again until Redis is back: a lost part would never be told again.

        The part and the body go into an index first, for the leader to send the body should this process be lost
        between the claim to it and its publication.
        """

        def count() -> Any:
            if request.group and request.chord:
                part = {name: getattr(request, name) for name in ("id", "group", "group_index", "chord")}
                self.client.hsetnx(keys.CHORDS, request.group, dumps(part))
            return super(RedisBackend, self).on_chord_part_return(request, state, result, **kwargs)

        return _persistently(count)

    def restore_group(self, group_id: str, cache: bool = True) -> Any:
        """Return a saved group; one that is a chord's header with the results that were counted."""
        structure = super().restore_group(group_id, cache)
        counted = self.client.zrange(self.get_key_for_group(group_id, ".j"), 0, -1) if structure else []
        if not counted:
            return structure
        parts = {self.decode(part)[1]: part for part in counted}
        return Header(structure, {id: self._unpack_chord_result(part, self.decode) for id, part in parts.items()})

    def _create_client(self, **params: Any) -> redis.Redis:
        settings: RedisSettings | None = self.app.conf.get("celeriac_redis")
        if settings is None:
            client: redis.Redis = super()._create_client(**params)
            return client
        return connect(settings)


def _persistently(action: Callable[[], T]) -> T:
    wait = _RETRY_WAIT[0]
    while True:
        try:
            return action()
        except (redis.RedisError, OSError) as error:
            if not isinstance(error, OSError) and not is_unreachable(error):
                raise
        time.sleep(uniform(0.5, 1) * wait)
        wait = min(2 * wait, _RETRY_WAIT[1])
