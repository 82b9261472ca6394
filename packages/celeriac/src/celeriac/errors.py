"""What can go wrong, as one tree; each kind has a stable ``code`` and the HTTP status it answers with.

::

    CeleriacError
    ├── ConfigurationError    a setting is missing, unusable, or contradicts another
    ├── InvalidError          the caller's input; names the field
    │   ├── InvalidScheduleError  a schedule is wrong (in celeriac.schedule.fault)
    │   └── UnknownTaskError  no such task in the catalogue
    ├── NotFoundError         no such run, schedule or dead letter
    ├── ConflictError         the thing is not in a state that allows this
    │   ├── DeadLetterError   the run is a dead letter: it will not be delivered again
    │   └── FencedError       this process does not lead (any more)
    ├── MemoryExhaustedError  a task ran out of memory
    └── UnavailableError      Redis cannot be reached in time; try again
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple, Self


class CeleriacError(Exception):
    """Base of all errors Celeriac raises on purpose."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500


class ConfigurationError(CeleriacError):
    """A setting is missing, unusable, or contradicts another. The message names it and says what to set."""

    code = "configuration"


_POINTER_MAX = 500


def pointer(path: Iterable[str | int]) -> str:
    """Return *path* as a JSON pointer (RFC 6901), cut off at 500 characters: a caller's key may be endless."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)[:_POINTER_MAX]


class Fault(NamedTuple):
    """One thing that is wrong with the input: where (a JSON pointer, such as ``/kwargs/year``), and what."""

    path: str
    message: str


class InvalidError(CeleriacError):
    """The caller's input is wrong at *path* (a JSON pointer). *faults* are all that were found."""

    code = "invalid"
    status = 422

    def __init__(self, message: str, path: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.path = path
        self.faults = tuple(faults) or (Fault(path, message),)

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> Self:
        """Return the error that reports *faults*, of which there is at least one."""
        return cls(faults[0].message, faults[0].path, faults)


class UnknownTaskError(InvalidError):
    """No worker offers this task. *near* lists names like it."""

    code = "unknown-task"
    status = 404

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"No worker offers the task {name!r}.{hint}", "/name")
        self.near = tuple(near)


class NotFoundError(CeleriacError):
    """There is no such thing (any more)."""

    code = "not-found"
    status = 404


class ConflictError(CeleriacError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    status = 409


class DeadLetterError(ConflictError):
    """The run is a dead letter. ``AsyncResult.get`` raises this for one that ended so, with what happened."""

    code = "dead-letter"


class FencedError(ConflictError):
    """This process does not lead (any more): another one holds the lease, or nobody does."""

    code = "fenced"

    def __init__(self, instance: str) -> None:
        super().__init__(f"{instance} does not lead: it stands by")


class UnavailableError(CeleriacError):
    """Redis did not answer in time. Nothing was accepted, or the same id may safely be sent again."""

    code = "unavailable"
    status = 503


class MemoryExhaustedError(CeleriacError):
    """A task ran out of memory, and its run is a dead letter. Stands in for a MemoryError, which ends the worker."""

    code = "memory-exhausted"
