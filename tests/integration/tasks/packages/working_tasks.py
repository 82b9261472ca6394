"""Tasks that say which process they ran in."""

import os
import time

from celery import shared_task


@shared_task
def where(seconds: float = 0) -> int:
    time.sleep(seconds)
    return os.getpid()
