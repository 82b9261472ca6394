"""The base of all tasks: ``async def`` under every pool."""

import inspect
from functools import cached_property
from typing import Any

import celery

from celeriac.capture import of
from celeriac.errors import ConfigurationError
from celeriac.task.backend import OffLoopBackend
from celeriac.task.body import body, is_async
from celeriac.task.carrier import carrier, offload
from celeriac.task.identity import identity
from celeriac.task.upstream import identify_by


class Task(celery.Task[Any, Any]):
    """A task whose function may be ``async def``.

    The app's ``task_cls``; a base class of your own derives from it in place of ``celery.Task``.
    """

    abstract = True

    Request = "celeriac.request:Request"
    Strategy = "celeriac.strategy:default"

    is_async: bool = False
    """Whether its function is ``async def``: the asyncio pool runs others in threads."""

    @classmethod
    def on_bound(cls, app: celery.Celery) -> None:
        """Put our wrapper around the function. Celery puts ``autoretry_for`` around it afterwards."""
        super().on_bound(app)
        identify_by(identity, cls.request_stack)
        run = inspect.getattr_static(cls, "run")
        function = run.__func__ if isinstance(run, staticmethod) else run
        if run is celery.Task.run or hasattr(function, "celeriac_body"):
            return
        wrapped = body(function)
        cls.is_async = is_async(function)
        setattr(cls, "run", staticmethod(wrapped) if isinstance(run, staticmethod) else wrapped)  # noqa: B010 mypy

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        """Submit a run, as Celery's. In a coroutine of the asyncio pool the loop goes on while Redis answers."""
        return offload(super().apply_async, *args, **kwargs)

    def replace(self, sig: Any) -> Any:
        """End this run and have *sig* go on in its place, as Celery's."""
        capture = of(self.request)
        if capture is not None:
            capture.replaced = True
        return super().replace(sig)

    @property
    def override_max_retries(self) -> int:
        """What this run's ``retry(max_retries=…)`` said. Celery keeps it on the task, where other runs see it.

        Raises:
            AttributeError: it has said nothing.
        """
        try:
            value: int = vars(self.request)["override_max_retries"]
        except KeyError:
            raise AttributeError("override_max_retries") from None
        return value

    @override_max_retries.setter
    def override_max_retries(self, value: int) -> None:
        vars(self.request)["override_max_retries"] = value

    @override_max_retries.deleter
    def override_max_retries(self) -> None:
        del vars(self.request)["override_max_retries"]

    @property
    def backend(self) -> Any:
        """The result backend."""
        return self._own_backend() if carrier() is None else self._off_loop_backend

    @backend.setter
    def backend(self, value: Any) -> None:
        self._backend = value

    @cached_property
    def _off_loop_backend(self) -> OffLoopBackend:
        return OffLoopBackend(self._own_backend)

    def _own_backend(self) -> Any:
        return self._backend or self.app.backend


def check_bases(app: celery.Celery) -> None:
    """Refuse ``async def`` tasks whose base class knows nothing of them.

    Raises:
        ConfigurationError: naming the task and its base class.
    """
    for name, task in app.tasks.items():
        if not isinstance(task, Task) and is_async(task.run):
            base = type(task).__mro__[1]
            raise ConfigurationError(
                f"The task {name!r} is async def, and its base class {base.__module__}.{base.__qualname__} cannot "
                "run that: derive it from celeriac.task.Task in place of celery.Task"
            )
