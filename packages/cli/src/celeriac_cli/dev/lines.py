"""The output of many processes as one stream, each line behind the name of who said it."""

from collections import deque
from itertools import cycle
from typing import Final

from rich.console import Console
from rich.text import Text

COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")
KEPT: Final = 200
"""Lines kept of each process, and lines held back while the stream is quiet."""
MAX_LINE: Final = 4000


class Lines:
    """Gathers lines; shows them once :meth:`open` was called, those of the recent past first."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._colours = cycle(COLOURS)
        self._colour: dict[str, str] = {}
        self._held: deque[tuple[str, str]] = deque(maxlen=KEPT)
        self._last: dict[str, deque[str]] = {}
        self._open = False

    def join(self, name: str) -> None:
        """Give *name* a colour and a place."""
        self._colour[name] = next(self._colours)
        self._last[name] = deque(maxlen=KEPT)

    def add(self, name: str, line: str) -> None:
        """Take one line of *name*'s output."""
        line = line.rstrip()[:MAX_LINE]
        if not line:
            return
        self._last[name].append(line)
        if self._open:
            self._show(name, line)
        else:
            self._held.append((name, line))

    def open(self) -> None:
        """Show what was held back, and from now on every line as it comes."""
        self._open = True
        while self._held:
            self._show(*self._held.popleft())

    def last(self, name: str) -> str:
        """Return what *name* said last; empty if nothing."""
        said = self._last.get(name)
        return said[-1] if said else ""

    def tail(self, name: str, count: int) -> None:
        """Show the last *count* lines of *name*, unless they are on the screen already."""
        if not self._open:
            for line in list(self._last.get(name, ()))[-count:]:
                self._show(name, line)

    def _show(self, name: str, line: str) -> None:
        width = max(len(other) for other in self._colour)
        prefix = Text(f"{name:>{width}} │ ", style=self._colour[name])
        self._console.print(prefix + Text.from_ansi(line), soft_wrap=True)
