"""The result backend as a run on an event loop sees it: its round trips wait in a thread."""

from collections.abc import Callable
from typing import Any

from celery import states

from celeriac import capture
from celeriac.task.carrier import offload

_LOCAL = frozenset(
    {
        "as_uri",
        "encode",
        "encode_result",
        "exception_to_python",
        "persistent",
        "prepare_exception",
        "prepare_value",
        "process_cleanup",
        "result_from_tuple",
        "supports_autoexpire",
    }
)
"""What makes no round trip."""


class OffLoopBackend:
    """Stands before the backend that *find* returns, which is another one in each thread."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._find(), name)
        if name in _LOCAL or not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            if _is_kept(name, args, kwargs):
                return value(*args, **kwargs)
            return offload(lambda: getattr(self._find(), name)(*args, **kwargs))

        return call


def _is_kept(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether this call only keeps an outcome for the main process to send: see :mod:`celeriac.capture`."""
    if name not in ("mark_as_done", "mark_as_failure", "mark_as_retry", "store_result"):
        return False
    request: Any = kwargs.get("request") or (args[2] if name == "mark_as_done" and len(args) > 2 else None)
    if capture.of(request) is None:
        return False
    if name == "store_result":
        state = kwargs.get("state") or args[2]
        return bool(state == states.STARTED)
    # Parts of chords, errbacks and the rest of a failed chain are told at once.
    return not (request.chord or (name == "mark_as_failure" and (request.chain or request.errbacks)))
