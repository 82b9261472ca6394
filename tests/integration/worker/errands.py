"""Tasks for the worker tests; it knows nothing of Celeriac."""

import logging
import os
import time
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_ready

logger = logging.getLogger(__name__)


@shared_task
def add(x: int, y: int) -> int:
    """Add up."""
    return x + y


@shared_task
def fail(message: str) -> None:
    """Fail."""
    raise ValueError(message)


@shared_task
def nap(seconds: float) -> str:
    """Take *seconds*."""
    time.sleep(seconds)
    return "rested"


@shared_task
def sleep_through(seconds: float) -> None:
    """Take *seconds*, whatever the soft time limit says."""
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        time.sleep(seconds)


@shared_task
def say(word: str) -> str:
    """Log a word, and return it."""
    logger.info("said it")
    return word


@worker_ready.connect
def block_the_main_loop(sender: Any, **_: Any) -> None:
    """Stop the main loop once for as long as the test's environment says, once its file is there."""
    seconds = os.environ.get("ERRANDS_BLOCK_SECONDS")
    if seconds:

        def block() -> None:
            if Path("block").exists():
                Path("block").unlink()
                time.sleep(float(seconds))

        sender.timer.call_repeatedly(0.2, block)


@shared_task
def hand_over(size: int) -> dict[str, Any]:
    """Hand over a file of *size* bytes."""
    data = b"x" * size
    return {"done": True, "artifacts": {"a.bin": {"content_type": "application/octet-stream", "data": data}}}


@shared_task
def linger(path: str, seconds: float) -> str:
    """Take *seconds* the first time, and none the second."""
    mark = Path(path)
    if mark.exists():
        return "done by another"
    mark.touch()
    time.sleep(seconds)
    return "done by the first"
