"""Fail when source files grow: the median must stay below 120 lines, and none may pass 400."""

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

MEDIAN: Final = 120
MAXIMUM: Final = 400
ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> int:
    """Count the lines of the tracked and new source files; return the exit code."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.py", "*.lua"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    paths = [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]
    lengths = {path: len((ROOT / path).read_bytes().splitlines()) for path in paths}
    counted = [length for length in lengths.values() if length]
    median = statistics.median(counted)
    long = {path: length for path, length in lengths.items() if length > MAXIMUM}
    sys.stdout.write(f"{len(counted)} files, median {median:g} lines, longest {max(counted)}\n")
    for path, length in long.items():
        sys.stdout.write(f"{path} has {length} lines: split it, {MAXIMUM} is the most\n")
    if median >= MEDIAN:
        sys.stdout.write(f"The median must stay below {MEDIAN} lines\n")
    return 1 if long or median >= MEDIAN else 0


if __name__ == "__main__":
    sys.exit(main())
