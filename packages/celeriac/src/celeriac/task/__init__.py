"""Tasks: ``async def`` everywhere, cooperative cancellation."""

from celeriac.task.base import Task, check_bases
from celeriac.task.cancel import cancelled

__all__ = ["Task", "cancelled", "check_bases"]
