"""How old the newest order is; run by a schedule."""

from collections import deque
from typing import Any

from celery import shared_task

from cookbook import orders


@shared_task(name="cookbook.freshness", queue="io")
def freshness() -> dict[str, Any]:
    """Look how many orders there are and when the newest came in."""
    (newest,) = deque(orders.read(), maxlen=1)
    return {"orders": orders.count(), "newest": newest.day.isoformat()}
