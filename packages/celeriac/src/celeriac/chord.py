"""The header of a chord that is more than a list of tasks.

Celery reads the results of its parts from the store once all are counted. There they are not yet: a result is written
with the acknowledgement of its run, that of the last part after the count. What was counted has them all.
"""

from collections.abc import Mapping
from typing import Any

from celery.result import GroupResult

_GroupResult: Any = GroupResult


class Header(_GroupResult):
    """A chord's header whose parts have all been counted."""

    def __init__(self, structure: GroupResult, values: Mapping[str, Any]) -> None:
        super().__init__(structure.id, structure.results, parent=structure.parent)
        self._values = values

    def join(self, *_: Any, **__: Any) -> list[Any]:
        """Return the results in the structure of the header; no store is asked."""
        return self._assembled(self)

    join_native = join

    def _assembled(self, structure: Any) -> list[Any]:
        return [
            self._assembled(part) if isinstance(part, GroupResult) else self._values[part.id]
            for part in structure.results
        ]
