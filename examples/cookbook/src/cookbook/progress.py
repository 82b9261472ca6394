"""Saying how far a task is."""

from typing import Any

from celery import Task


def report(task: "Task[..., Any]", current: int, total: int, message: str) -> None:
    """Publish progress as Celery's own custom state; does nothing when the task is called as a plain function."""
    if not task.request.called_directly:
        task.update_state(state="PROGRESS", meta={"current": current, "total": total, "message": message})
