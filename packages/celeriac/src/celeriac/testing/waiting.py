"""Waiting on a condition, with a deadline: what tests do in place of sleeping."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], deadline: float = 20) -> float:
    """Wait until *condition* is true and return the seconds that took.

    Raises:
        AssertionError: it was not true within *deadline* seconds; names the condition and what it was last.
    """
    start = time.monotonic()
    while not (value := condition()):
        if time.monotonic() - start > deadline:
            raise AssertionError(f"{getattr(condition, '__qualname__', condition)} was {value!r} for {deadline:g} s")
        time.sleep(0.01)
    return time.monotonic() - start
