"""Priorities run from 0, which goes first, to 9, which goes last. There is no 10.

``mark.apply_async(args=["urgent"], priority=0)``. Redis keeps four lists per queue (0-2, 3-5, 6-8, 9); within one the
order is first in, first out. A run that names no priority has the one of ``CELERIAC_TASK_DEFAULT_PRIORITY``, 3.
"""

from celery import shared_task


@shared_task
def mark(name: str) -> str:
    """Return *name*."""
    return name
