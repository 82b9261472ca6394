"""Building a worker from settings, and running it to its end."""

import socket
import warnings

import structlog
from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from celery.worker import state

from celeriac import logging, packages
from celeriac.app import create_app
from celeriac.errors import ConfigurationError, UnavailableError
from celeriac.health import HealthServer, verdict
from celeriac.redis import connect, is_unreachable
from celeriac.settings import Settings
from celeriac_worker import memory, pulse, run_log, slots
from celeriac_worker.controller import Controller
from celeriac_worker.drain import Drain
from celeriac_worker.offer import Offer
from celeriac_worker.report import Reporter
from celeriac_worker.stacks import Stacks
from celeriac_worker.status import Status

log = structlog.get_logger(__name__)

BEGIN_ANEW = -1
"""What :func:`run` returns when the process is to run the same command again."""


def prepare(settings: Settings) -> tuple[Celery, Offer]:
    """Return the app with all task packages loaded, and what it offers.

    Raises:
        ConfigurationError: a package, a task or a queue is not as it must be.
    """
    logging.configure(settings.log, "worker")
    warnings.simplefilter("ignore", SecurityWarning)  # of pickle under root; only JSON is accepted here
    setup_logging.connect(_leave_logging_alone, weak=False)
    app = create_app(settings, "worker")
    packages.load(app, settings.task)
    return app, Offer(settings, app)


def publish_catalog(settings: Settings) -> None:
    """Tell Redis which tasks and schedules this worker group offers, before or without any worker of it.

    Raises:
        UnavailableError: Redis cannot be reached.
    """
    _, offer = prepare(settings)
    with connect(settings.redis) as client:
        try:
            offer.publish(client)
        except Exception as error:
            if is_unreachable(error):
                raise UnavailableError(f"Redis at {settings.redis.url} does not answer: {error}") from error
            raise
    log.info(
        "published the catalogue",
        group=settings.worker.group,
        tasks=len(offer.tasks),
        schedules=len(offer.schedules),
    )


def run(settings: Settings, name: str | None = None) -> int:
    """Run a worker until it is told to stop; return the exit code."""
    worker = settings.worker
    queues = worker.queues or [worker.group]
    if not worker.queues and worker.group not in settings.task.queues:
        raise ConfigurationError(
            f"The worker group {worker.group!r} has no queue of its name among CELERIAC_TASK_QUEUES "
            f"({', '.join(settings.task.queues)}): add it there, or name others in CELERIAC_WORKER_QUEUES"
        )
    folder = slots.prepare() if worker.pool == "prefork" else None
    from celeriac_worker import metrics  # after the folder is known to prometheus_client

    app, offer = prepare(settings)
    name = name or f"{worker.group}@{socket.gethostname()}"
    status = Status(worker, active=_active, solo_limit=settings.task.time_limit if worker.pool == "solo" else None)
    pulse.install(app, status)
    metrics.install()
    run_log.install(show_arguments=settings.log.arguments)
    stacks = Stacks()
    server = HealthServer(
        worker.host,
        worker.port,
        {
            "/healthz": lambda: verdict(stacks.told(status.unfit_to_live())),
            "/readyz": lambda: verdict(status.unfit_for_work()),
            "/metrics": metrics.route(_active, folder),
        },
    ).start()
    log.info("serving health and metrics", url=f"http://{worker.host}:{server.port}")
    reporter = Reporter(
        name,
        queues,
        status,
        connect(settings.redis),
        offer.publish,
    )
    reporter.start()
    drain = Drain(status, last_words=reporter.stop)
    drain.install()
    controller = Controller.of(app, name, queues, worker)
    memory.settle()
    controller.start()
    drain.done()
    reporter.stop()
    server.stop()
    if folder:
        slots.remove(folder)
    if controller.begins_anew:
        return BEGIN_ANEW
    return 0 if drain.begun else int(controller.exitcode or 0)


def _active() -> int:
    return len(state.active_requests)


def _leave_logging_alone(**_: object) -> None:
    """Receive ``setup_logging``: that somebody does keeps Celery from changing handlers and stdout."""
