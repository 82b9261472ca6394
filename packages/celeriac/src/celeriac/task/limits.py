"""The time limits of a run, where no pool keeps them."""

from dataclasses import dataclass
from typing import Any

from celery import Task

from celeriac.task.upstream import signals_soft_limit


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds from the start of the task's code; None for no limit."""

    soft: float | None = None
    hard: float | None = None


NONE = Limits()


def limits_of(task: Task[Any, Any]) -> Limits:
    """Return the limits that nothing but us enforces for the current run of *task*.

    The prefork pool enforces its own, by a signal and by killing the process. Solo, threads and gevent ignore soft
    limits; solo and threads ignore hard ones, too.
    """
    if signals_soft_limit() or task.request.called_directly:
        return NONE
    hard, soft = task.request.timelimit or (None, None)
    return Limits(soft or task.soft_time_limit, hard or task.time_limit)
