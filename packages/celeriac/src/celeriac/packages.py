"""Loading task packages: the code of others, held to account at start-up rather than at the first message.

A package is ordinary Celery: ``@shared_task`` functions, imported by name. The module that is loaded may also say
``beat_schedule`` and ``task_routes``, as in Celery's configuration.
"""

import importlib
import importlib.util
import traceback
import warnings
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Final

from celery import Celery
from celery.exceptions import DuplicateTaskNameWarning  # type: ignore[attr-defined]  # new in 5.7, not yet in celery-types

from celeriac.errors import ConfigurationError
from celeriac.routing import add_package_routes
from celeriac.settings.task import TaskSettings
from celeriac.task import check_bases

ENTRY_POINTS: Final = "celeriac.tasks"
"""Entry-point group by which an installed package offers its module of tasks."""


def load(app: Celery, settings: TaskSettings) -> list[str]:
    """Import the task packages that *settings* name, register their tasks with *app*, and return the tasks' names.

    Raises:
        ConfigurationError: a package does not import, a name is taken twice, an ``async def`` task has a base class
            that cannot run it, or there is no task at all. That a task's queue exists is checked when the tasks are
            described (:mod:`celeriac.catalog.build`).
    """
    modules: list[ModuleType] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", DuplicateTaskNameWarning)
        for module, source in _named(settings):
            modules += _load(module, source)
        try:
            app.finalize()
        except DuplicateTaskNameWarning as error:
            raise ConfigurationError(_one_line(error)) from error
    check_bases(app)
    _add_beat_schedules(app, modules)
    add_package_routes(app, modules)
    names = sorted(name for name in app.tasks if not name.startswith("celery."))
    if not names:
        raise ConfigurationError(
            "No task is registered: name modules with @shared_task functions in CELERIAC_TASK_PACKAGES"
        )
    return names


def _add_beat_schedules(app: Celery, modules: Iterable[ModuleType]) -> None:
    """Add the packages' schedules to those that ``add_periodic_task`` has made."""
    schedules: dict[str, Any] = dict(app.conf.beat_schedule or {})
    for module in modules:
        for name, entry in getattr(module, "beat_schedule", {}).items():
            if schedules.setdefault(name, entry) != entry:
                raise ConfigurationError(
                    f"The schedule {name!r} of the task package {module.__name__!r} is declared elsewhere too, "
                    "and differently: rename one of them"
                )
    app.conf.beat_schedule = schedules


def _named(settings: TaskSettings) -> Iterator[tuple[str, str]]:
    seen = set()
    for module in settings.packages:
        seen.add(module)
        yield module, "CELERIAC_TASK_PACKAGES"
    if not settings.entry_points:
        return
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.value):
        if point.module not in seen:
            seen.add(point.module)
            yield point.module, f"entry point {point.name!r} of {point.dist.name if point.dist else 'a package'}"


def _load(name: str, source: str) -> Iterator[ModuleType]:
    """Import *name* and, as Celery's own discovery does, the module ``tasks`` of a package."""
    try:
        module = importlib.import_module(name)
        yield module
        if hasattr(module, "__path__") and importlib.util.find_spec(f"{name}.tasks"):
            yield importlib.import_module(f"{name}.tasks")
    except DuplicateTaskNameWarning as error:
        raise ConfigurationError(_one_line(error)) from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"The task package {name!r} ({source}) does not import: {_one_line(error)}{_place(error)}"
        ) from error


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, DuplicateTaskNameWarning) else f"{type(error).__name__}: {text}"


def _place(error: BaseException) -> str:
    """Say where in the package's own code *error* came from."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and "importlib" not in frame.filename
    ]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
