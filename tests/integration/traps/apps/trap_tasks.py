"""Tasks that stock workers and ours run. They leave their notes in a file, which no Redis can take with it."""

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

import redis
from celery import shared_task, signals
from celery.exceptions import Retry
from prometheus_client import Counter

runs = Counter("trap_runs", "Runs of the task that counts.")


class OrderError(Exception):
    """An exception of the tasks' own."""


def note(name: str, value: object) -> None:
    with Path(os.environ["TRAP_NOTES"]).open("a") as notes:
        notes.write(f"{name} {value}\n")


def noted(name: str) -> bool:
    path = Path(os.environ["TRAP_NOTES"])
    return path.exists() and any(line.startswith(f"{name} ") for line in path.read_text().splitlines())


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task
def add(x: int, y: int) -> int:
    return x + y


@shared_task(bind=True)
def nap(self: Any, seconds: float) -> float:
    note("started", self.request.id)
    time.sleep(seconds)
    note("ended", self.request.id)
    return seconds


@shared_task
def total(numbers: list[float]) -> float:
    note("total", numbers)
    return sum(numbers)


@shared_task
def kill_itself() -> None:
    note("died", os.getpid())
    die()


@shared_task(time_limit=1, acks_on_failure_or_timeout=False)
def overrun() -> None:
    note("overran", os.getpid())
    time.sleep(30)


@shared_task
def exhaust() -> None:
    note("exhausted", os.getpid())
    raise MemoryError("all gone")


@shared_task
def fail() -> None:
    raise OrderError("no such order")


@shared_task(bind=True, max_retries=3)
def retry_later(self: Any, countdown: float) -> None:
    note("attempt", self.request.retries)
    raise self.retry(countdown=countdown)


@shared_task(bind=True, max_retries=3)
def retry_and_die(self: Any) -> None:
    """Is lost between the two halves of a retry: the new message, and the acknowledgement of the old one."""
    try:
        self.retry(countdown=0)
    except Retry:
        note("died", os.getpid())
        die()


@shared_task(bind=True, max_retries=3)
def retry_when_full(self: Any, port: int) -> None:
    """Retries while Redis takes no new message."""
    note("attempt", self.request.retries)
    if self.request.retries == 0:
        with redis.Redis(port=port) as client:
            client.config_set("maxmemory", 1)
        raise self.retry(countdown=0)


@shared_task(bind=True, autoretry_for=(OrderError,), retry_kwargs={"countdown": 0}, max_retries=2)
def retry_both_ways(self: Any, by_hand: bool) -> None:
    note("by-hand" if by_hand else "automatic", self.request.retries)
    error = OrderError("no such order")
    if by_hand:
        raise self.retry(exc=error, countdown=0, max_retries=0)
    raise error


@shared_task(bind=True, autoretry_for=(OrderError,), retry_kwargs={"countdown": 0}, max_retries=1)
async def fail_async(self: Any) -> None:
    note("attempt-async", self.request.retries)
    raise OrderError("no such order")


@shared_task
async def work_async() -> str:
    note("async", "ran")
    return "done"


@shared_task(ignore_result=True)
async def work_async_unheard() -> None:
    note("async", "ran")


@shared_task
def show(card: str) -> str:
    return card


@shared_task
def talk() -> None:
    logging.getLogger("shop").warning("sold out")
    print("a plain line")


@shared_task
def count() -> None:
    runs.inc()
    note("counted", os.getpid())


@shared_task
def grow(mib: int) -> int:
    """Hold that many MiB to the end, and return the process id."""
    held = bytearray(mib << 20)
    note("grew", len(held))
    return os.getpid()


def is_fatal(name: str, sender: object) -> bool:
    """Whether the process is to be lost at this publication, the first of its kind."""
    return os.environ.get(f"TRAP_DIE_{name}") == sender and not noted("died")


@signals.before_task_publish.connect
def lose_before(sender: object = None, **_: object) -> None:
    if is_fatal("BEFORE", sender):
        note("died", sender)
        die()


@signals.after_task_publish.connect
def lose_after(sender: object = None, **_: object) -> None:
    if is_fatal("AFTER", sender):
        note("died", sender)
        die()
