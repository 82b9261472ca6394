"""Celery's canvas where no worker can serve it: telling chords, chains and errbacks what became of a run."""

from collections.abc import Mapping
from typing import Any

import redis
from celery import Celery, states
from celery.app.task import Context
from celery.exceptions import TaskRevokedError

from celeriac import keys, message
from celeriac.app import create_app
from celeriac.catalog import Entry
from celeriac.errors import DeadLetterError
from celeriac.settings import Settings
from celeriac.states import State


class Canvas:
    """A Celery app with a result backend and without tasks; it finds their queues in the catalogue."""

    def __init__(self, settings: Settings, client: redis.Redis) -> None:
        self._client = client
        self.app: Celery = create_app(settings, "worker")
        self.app.conf.task_routes = [*(self.app.conf.task_routes or ()), self._route]
        self._backend: Any = self.app.backend

    def _route(
        self, name: str, args: Any, kwargs: Any, options: Mapping[str, Any], task: Any = None, **_: Any
    ) -> dict[str, str] | None:
        known: Any = self._client.hget(keys.CATALOG, name)
        return None if known is None else {"queue": Entry.model_validate_json(known).queue}

    def tell(self, state: State, reason: str, text: str) -> None:
        """Do what Celery does when a task of the message *text* has failed: its chord, chain and errbacks hear of it.

        Raises:
            ValueError: the message cannot be read, so nobody waits for it.
        """
        contents = message.read(text)
        request = Context(
            {
                **contents.headers,
                **contents.embed,
                "args": contents.args,
                "kwargs": contents.kwargs,
                "delivery_info": {},
            }
        )
        if state is State.DEAD:
            error: Exception = DeadLetterError(reason)
            self._backend.mark_as_failure(request.id, error, request=request, store_result=False)
            return
        # A cancelled run calls no errbacks in Celery either; what was to follow it will not come, and says so.
        error = TaskRevokedError(reason)
        self._backend.mark_as_failure(
            request.id, error, request=request, store_result=False, call_errbacks=False, state=states.REVOKED
        )

    def complete(self, part: Mapping[str, Any]) -> None:
        """Report again a part that a chord knows already, upon which a complete one sends its body."""
        self._backend.on_chord_part_return(Context(dict(part)), states.SUCCESS, None)

    def close(self) -> None:
        """Close all connections."""
        self.app.close()
