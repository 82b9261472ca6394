"""Thumbnails of images, as artifacts."""

import io
from importlib.resources import files
from typing import Annotated, Any, Literal

from celery import Task, shared_task
from PIL import Image
from pydantic import Field

from cookbook import progress

Photo = Literal["coast", "ridge", "valley"]


@shared_task(bind=True, name="cookbook.thumbnails")
def thumbnails(
    self: "Task[..., Any]",
    photos: Annotated[list[Photo], Field(min_length=1, max_length=10)] = ["coast", "ridge", "valley"],  # noqa: B006 a task's defaults are shown in the catalogue, and never changed
    width: Annotated[int, Field(ge=16, le=640, description="Pixels")] = 160,
) -> dict[str, Any]:
    """Shrink photos to *width* pixels. Each is handed over as the artifact ``<photo>.png``."""
    made: dict[str, Any] = {}
    sizes: dict[str, list[int]] = {}
    for number, name in enumerate(photos, start=1):
        with (files("cookbook.data") / "photos" / f"{name}.jpg").open("rb") as file, Image.open(file) as image:
            image.thumbnail((width, width * 4), Image.Resampling.LANCZOS)
            out = io.BytesIO()
            image.save(out, "PNG", optimize=True)
            sizes[name] = [image.width, image.height]
        made[f"{name}.png"] = {"content_type": "image/png", "data": out.getvalue()}
        progress.report(self, number, len(photos), f"{name} done")
    return {"sizes": sizes, "artifacts": made}
