"""sqlalchemy-celery-beat's scheduler, made to submit as the leader does. Imported only where the library is there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from sqlalchemy_celery_beat.schedulers import DatabaseScheduler  # type: ignore[import-untyped]

from celeriac import keys, message
from celeriac.leader import Leader
from celeriac.schedule.firing import run_id
from celeriac.settings import Settings
from celeriac_scheduler.metrics import Metrics


class Rows(DatabaseScheduler):  # type: ignore[misc] # the library has no types
    """The library's scheduler, submitting as the leader."""

    def __init__(self, app: Celery, settings: Settings, leader: Leader, metrics: Metrics) -> None:
        self._task = settings.task
        self._leader = leader
        self._fires = metrics.schedule_fires
        super().__init__(app=app)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Submit the run of *entry*, then save that it ran. Raises where the library would log and go on."""
        options: Mapping[str, Any] = entry.options
        queue = options.get("queue") or options.get("routing_key") or self._task.default_queue
        priority = self._task.default_priority if options.get("priority") is None else options["priority"]
        last = entry.last_run_at.astimezone(UTC).isoformat()
        id = run_id(entry.name, last)
        expires = _expires(options.get("expires"))
        text = message.encode(
            id=id,
            task=entry.task,
            args=entry.args,
            kwargs=entry.kwargs,
            queue=queue,
            priority=priority,
            expires=expires,
            headers={**(options.get("headers") or {}), "celery_beat_task": True, "schedule": entry.name},
        )
        arguments = [id, entry.task, queue, priority, round((expires or 0) * 1000), entry.name, text]
        self._leader.call("submit_as_leader", [keys.RUN + id, keys.queue_list(queue, priority)], arguments)
        self._fires.labels("run").inc()
        self.sync()


def _expires(value: object) -> float | None:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return datetime.now(UTC).timestamp() + value if isinstance(value, int | float) else None
