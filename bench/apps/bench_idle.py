"""A task package of one task, for workers that are to have nothing to do."""

from celery import shared_task


@shared_task
def noop() -> None:
    """Do nothing."""
