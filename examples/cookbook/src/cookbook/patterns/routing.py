"""Which queue a task goes to: by its exact name, a glob, a regular expression, or a function.

A Celeriac worker and client take :data:`task_routes` of a task package as Celery's setting of that name. What an
operator sets in ``CELERIAC_TASK_ROUTES`` goes first.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from celery import shared_task


@shared_task(name="cookbook.routing.charge")
def charge(order: int) -> int:
    """Go by exact name."""
    return order


@shared_task(name="cookbook.routing.mail.welcome")
def welcome(user: str) -> str:
    """Go by the glob ``cookbook.routing.mail.*``."""
    return user


@shared_task(name="cookbook.routing.export_csv")
def export_csv(rows: int) -> int:
    """Go by the regular expression for exports."""
    return rows


@shared_task(name="cookbook.routing.resize")
def resize(width: int) -> int:
    """Go by :func:`by_size`: large ones to ``io``, small ones where all goes."""
    return width


def by_size(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any], **_: Any
) -> dict[str, str] | None:
    """Route by what the task is called with; None leaves it to the next rule."""
    width = kwargs.get("width", args[0] if args else 0)
    return {"queue": "io"} if name == "cookbook.routing.resize" and width > 1000 else None


task_routes = (
    {
        "cookbook.routing.charge": {"queue": "io"},
        "cookbook.routing.mail.*": {"queue": "io"},
        re.compile(r"cookbook\.routing\.export_(csv|xlsx)"): {"queue": "io"},
    },
    by_size,
)
