"""What a worker group brings: tasks for the catalogue, and the schedules of its code."""

from collections.abc import Collection, Iterable

import redis
from celery import Celery

from celeriac import catalog
from celeriac.catalog import build, store
from celeriac.errors import ConfigurationError, InvalidError
from celeriac.schedule.code import Declared, check_queues, declared
from celeriac.schedule.publish import is_published, publish
from celeriac.settings import Settings


class Offer:
    """The offer of *app*, all of whose task packages are loaded.

    Raises:
        ConfigurationError: a task or a schedule is not as it must be.
    """

    def __init__(self, settings: Settings, app: Celery) -> None:
        self.tasks: list[catalog.Entry] = build.entries(app)
        self.schedules = declared(app)
        check_queues(self.schedules, settings.task.queues)
        _check_arguments(self.schedules, self.tasks)
        self._group = settings.worker.group
        self._timezone = settings.scheduler.timezone
        self._in_redis = settings.scheduler.backend == "redis"
        self._published = False

    def publish(self, client: redis.Redis) -> None:
        """Tell Redis. May be called again and again, so that a server which lost its data has it back.

        Schedules are published once, and again only when lost: in a rolling deployment each word of an old worker
        would bring its old schedules back.
        """
        store.publish(client, self._group, self.tasks)
        if not self._in_redis:
            return
        if not self._published or (self.schedules and not is_published(client, self._group)):
            publish(client, self._group, self.schedules, self._timezone)
            self._published = True


def _check_arguments(schedules: Collection[Declared], tasks: Iterable[catalog.Entry]) -> None:
    """Check the schedules' arguments as a submission's would be, where the task is one of ours.

    Values that JSON cannot carry are left to the task: the catalogue describes JSON.
    """
    if not schedules:
        return
    from celeriac.catalog.arguments import Arguments  # with a validator of some megabytes, which few workers need

    known = {entry.name: Arguments(entry) for entry in tasks}
    for item in schedules:
        task, (args, kwargs) = known.get(item.definition.task), item.arguments
        if task is None or (args, kwargs) != (item.definition.args, item.definition.kwargs):
            continue
        try:
            task.bind(args, kwargs)
        except InvalidError as error:
            told = "; ".join(f"{fault.path}: {fault.message}" for fault in error.faults)
            raise ConfigurationError(
                f"The schedule {item.id!r} of beat_schedule does not fit {task.entry.name}: {told}"
            ) from error
