"""Where prefork children keep their counts, told to prometheus_client before it is imported."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from billiard import current_process

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def prepare() -> str:
    """Make an empty folder for the children's files, have prometheus_client use it, and return it.

    A folder that the environment names is emptied: counts of an earlier process are not this one's.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    folder = Path(named) if named else Path(tempfile.mkdtemp(prefix="celeriac-metrics-"))
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()
    os.environ[FOLDER_VARIABLE] = str(folder)

    from prometheus_client import values

    module: Any = values  # whose own annotations are too few to call it
    module.ValueClass = module.MultiProcessValue(process_identifier=slot)
    return str(folder)


def slot() -> str:
    """Name this process by its place in the pool, which its successor takes over."""
    index = getattr(current_process(), "index", None)
    return "main" if index is None else f"slot{index}"


def remove(folder: str) -> None:
    """Remove the children's files, and the folder if nothing else is in it."""
    for file in Path(folder).glob("*.db"):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        Path(folder).rmdir()
