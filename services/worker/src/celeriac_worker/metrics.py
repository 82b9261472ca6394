"""Counting runs, in whichever process they run, and gathering the counts in one answer.

Prefork children write theirs to memory-mapped files, one set per *slot* of the pool and not per process id: a child
that replaces another goes on in its files, so that recycling children makes none. Metrics that tasks define
themselves are gathered likewise.

This module is imported after :func:`prepare`, since prometheus_client chooses how it counts when it is imported.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Task, signals
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from celeriac.health import Answer
from celeriac.request import run_began

_DURATIONS: Final = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
_MAX_OPEN: Final = 100_000

TASKS = Counter("celery_tasks", "Runs that ended, by how.", ["task_name", "status"])
DURATION = Histogram(
    "celery_task_duration_seconds", "Time from start to end of a run.", ["task_name"], buckets=_DURATIONS
)
WAIT = Histogram(
    "celery_task_wait_seconds",
    "Time from when a run could have started (submitted, or due) to its start.",
    ["task_name"],
    buckets=_DURATIONS,
)

_started: dict[str, float] = {}
_killed: deque[str] = deque(maxlen=100)


def install() -> None:
    """Count what Celery's signals tell, in this process and its children."""
    signals.task_prerun.connect(_on_start)
    signals.task_postrun.connect(_on_end)
    signals.task_failure.connect(_on_killed)
    run_began.connect(_on_began)


def _on_start(task_id: str, task: "Task[..., Any]", **_: Any) -> None:
    if len(_started) < _MAX_OPEN:  # a run killed by its time limit never ends here
        _started[task_id] = time.monotonic()


def _on_began(sender: str, waited: float, **_: Any) -> None:
    WAIT.labels(sender).observe(waited)


def _on_end(task_id: str, task: "Task[..., Any]", state: str | None = None, **_: Any) -> None:
    started = _started.pop(task_id, None)
    if started is not None:
        DURATION.labels(task.name).observe(time.monotonic() - started)
    if state is not None:  # a child that is being killed says so without one; its end is the main process' to count
        TASKS.labels(task.name, state.lower()).inc()


def _on_killed(sender: "Task[..., Any]", task_id: str, exception: BaseException, **_: Any) -> None:
    """Count what the main process says of a run whose child cannot; Celery 5.7 says a hard time limit twice."""
    if isinstance(exception, TimeLimitExceeded | WorkerLostError) and task_id not in _killed:
        _killed.append(task_id)
        _started.pop(task_id, None)
        TASKS.labels(sender.name, "failure").inc()


class Active(Collector):
    """Runs being worked on, as the main process counts them: a child that was killed leaves nothing behind."""

    def __init__(self, active: Callable[[], int]) -> None:
        self._active = active

    def collect(self) -> Iterator[Metric]:
        """Return the one gauge."""
        yield GaugeMetricFamily("celery_active_tasks", "Runs being worked on.", value=self._active())


def route(active: Callable[[], int], folder: str | None) -> Callable[[], Answer]:
    """Return the ``/metrics`` route; *folder* holds the children's files, None where there are no children."""
    if folder is None:
        registry: CollectorRegistry = REGISTRY
    else:
        registry = CollectorRegistry()
        gather: Callable[..., object] = MultiProcessCollector
        gather(registry, path=folder)
    registry.register(Active(active))
    return lambda: Answer(HTTPStatus.OK, generate_latest(registry), CONTENT_TYPE_LATEST)
