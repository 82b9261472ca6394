"""Where a worker stands when its probe gives it up: it is killed soon after, and nothing else would tell."""

import faulthandler
from collections.abc import Sequence


class Stacks:
    """Writes the stack of every thread to stderr, once each time the process becomes unfit to live.

    It goes past the log, whose lock the thread that hangs may hold.
    """

    def __init__(self) -> None:
        self._told = False

    def told(self, problems: Sequence[str]) -> Sequence[str]:
        """Return *problems*, having written the stacks where they are new."""
        if problems and not self._told:
            faulthandler.dump_traceback()
        self._told = bool(problems)
        return problems
