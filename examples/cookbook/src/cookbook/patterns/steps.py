"""Tasks to be put together: in parallel, one after the other, or in parallel with an end."""

from typing import Any

from celery import shared_task


class StepError(Exception):
    """A step that cannot be done."""


@shared_task
def process_item(item: dict[str, Any]) -> dict[str, Any]:
    """Process one item; one that carries ``fail`` fails."""
    if item.get("fail"):
        raise StepError(f"cannot process {item.get('name', 'an item')}")
    return {"processed": item}


@shared_task
def step(data: dict[str, Any], number: int) -> dict[str, Any]:
    """Do step *number* of a chain; one that ``data`` names in ``fail_at`` fails."""
    if data.get("fail_at") == number:
        raise StepError(f"step {number} failed")
    return {**data, f"step{number}": "done"}


@shared_task
def aggregate(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the results of a chord's header together."""
    return {"total": len(results), "results": results}
