"""Celery boot steps that keep :class:`~celeriac_worker.status.Status` true."""

from typing import Any, Final

from celery import bootsteps, signals

from celeriac.session import Session
from celeriac_worker.status import Status

TICK_SECONDS: Final = 1.0


def install(app: Any, status: Status) -> None:
    """Add the steps to *app*'s worker and consumer."""

    class Tick(bootsteps.StartStopStep):
        """Shows that the main loop comes round, by a timer that only it drives."""

        requires = ("celery.worker.components:Timer",)

        def start(self, worker: Any) -> None:
            worker.timer.call_repeatedly(TICK_SECONDS, status.tick)

    class Consuming(bootsteps.StartStopStep):
        """Ready from the moment the queues are consumed until the connection is lost or given up."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, consumer: Any) -> None:
            channel = consumer.task_consumer.channel
            status.linked = lambda: not _is_down(channel)
            status.consuming = True
            status.enter("ready")

        def stop(self, consumer: Any) -> None:
            status.consuming = False
            status.enter("reconnecting")

        def terminate(self, consumer: Any) -> None:
            self.stop(consumer)

    if status.solo_limit is not None:
        # The loop comes round between runs only, and must not look silent in the moment after a long one.
        signals.task_postrun.connect(lambda **_: status.tick(), weak=False)
    app.steps["worker"].add(Tick)
    app.steps["consumer"].add(Consuming)


def _is_down(channel: Any) -> bool:
    """Tell whether Redis left the leased transport without an answer. It has a session once it consumes."""
    session: Session | None = getattr(channel, "session", None)
    return session is not None and session.down
