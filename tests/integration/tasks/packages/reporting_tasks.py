"""Receivers of Celery's signals, as a task package registers them."""

from typing import Any

from celery import Task, current_app, shared_task, signals

from celeriac.redis import connect


@shared_task
def succeed(value: int) -> int:
    return value


@shared_task
def fail(value: int) -> int:
    raise LookupError(f"nothing at {value}")


@shared_task(rate_limit="2/s")
def limited(value: int) -> int:
    return value


def note(text: str) -> None:
    with connect(current_app.conf["celeriac_redis"]) as client:
        client.rpush("noted", text)


@signals.task_success.connect
def on_success(sender: Task[..., Any], result: object, **_: object) -> None:
    if sender.name.startswith("reporting_tasks."):
        note(f"{sender.name} {sender.request.id} {result}")


@signals.task_failure.connect
def on_failure(sender: Task[..., Any], task_id: str, exception: BaseException, **_: object) -> None:
    if sender.name.startswith("reporting_tasks."):
        note(f"{sender.name} {task_id} {exception}")
