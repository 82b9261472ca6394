"""Names like a mistaken one."""

from collections.abc import Iterable
from difflib import get_close_matches

_LIMIT = 3
_LENGTH = 200
"""Comparing costs the product of both lengths; no task is called longer."""


def near_names(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the few of *names* that *name* may have meant, the most alike first.

    A name without its module counts as alike: ``report`` finds ``cookbook.tasks.report``.
    """
    known = sorted(names)
    name = name[:_LENGTH]
    last = name.rpartition(".")[2]
    same = [other for other in known if other.rpartition(".")[2] == last]
    close = get_close_matches(name, known, n=_LIMIT, cutoff=0.6)
    return tuple(dict.fromkeys([*same, *close]))[:_LIMIT]
