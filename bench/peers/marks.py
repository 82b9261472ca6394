"""How many tasks a worker process has ended, and when: what the rates are computed from.

A line per :data:`EVERY` tasks in a file per process; the bodies of all peers call the same :func:`hit`.
"""

import os
import time
from pathlib import Path
from typing import IO

EVERY = 100


class _Marks:
    """This process's file."""

    count = 0
    file: IO[str] | None = None


def hit() -> None:
    """Count a task that ends now."""
    _Marks.count += 1
    if _Marks.count % EVERY == 0:
        if _Marks.file is None:
            _Marks.file = (Path(os.environ["BENCH_MARKS"]) / str(os.getpid())).open("a")
        _Marks.file.write(f"{_Marks.count} {time.time()}\n")
        _Marks.file.flush()


def rate(folder: Path) -> float:
    """Return tasks per second of all processes together, over the time in which all of them worked."""
    series = [
        [(int(n), float(t)) for n, t in map(str.split, file.read_text().splitlines())] for file in folder.iterdir()
    ]
    begin = max(marks[0][1] for marks in series)
    end = min(marks[-1][1] for marks in series)
    return sum(_at(marks, end) - _at(marks, begin) for marks in series) / (end - begin)


def counts(folder: Path) -> dict[str, int]:
    """Return how many tasks each process has ended, to within :data:`EVERY`, by process id."""
    lines = {file.name: file.read_text().splitlines() for file in folder.iterdir()}
    return {name: int(marks[-1].split()[0]) for name, marks in lines.items() if marks}


def _at(marks: list[tuple[int, float]], when: float) -> float:
    before = marks[0]
    for after in marks:
        if after[1] >= when:
            span = after[1] - before[1]
            return before[0] + (after[0] - before[0]) * ((when - before[1]) / span if span else 1)
        before = after
    return before[0]
