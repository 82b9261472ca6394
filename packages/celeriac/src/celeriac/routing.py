"""Which queue a task goes to: what the operator set, then router functions, then what task packages say."""

import re
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from celery import Celery

from celeriac.settings.task import TaskSettings, regular_expression

Route = Mapping[str | re.Pattern[str], Any] | Callable[..., Any] | str
"""What Celery's ``task_routes`` takes: a map, a function, or the function's path."""


def routes(settings: TaskSettings) -> list[Route]:
    """Return the routes that *settings* name, first to be asked first."""
    exact: dict[str | re.Pattern[str], Any] = {}
    for pattern, queue in settings.routes.items():
        expression = regular_expression(pattern)
        exact[re.compile(expression) if expression else pattern] = {"queue": queue}
    return [exact, *settings.routers]


def add_package_routes(app: Celery, modules: Iterable[ModuleType]) -> None:
    """Ask, after all others, what *modules* call ``task_routes``: a route, or a sequence of them, as in Celery."""
    found: list[Route] = list(app.conf.task_routes or ())
    for module in modules:
        given = getattr(module, "task_routes", ())
        found += given if isinstance(given, list | tuple) else [given]
    app.conf.task_routes = found
    app.amqp.flush_routes()
    router: Any = app.amqp.router  # whose annotations lack its attribute
    router.routes = app.amqp.routes  # it may have been made from the old ones
