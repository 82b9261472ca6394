"""Waiting on a condition, with a deadline that says what did not come."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T], seconds: float = 60) -> T:
    """Return the first true answer of *look*; fail naming *what* and the last answer when *seconds* have passed."""
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds:g} s; last seen: {answer!r}")
        time.sleep(0.25)
