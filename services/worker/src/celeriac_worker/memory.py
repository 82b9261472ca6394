"""Giving back the memory that starting up took and nobody needs any more."""

import ctypes
import gc


def settle() -> None:
    """Return free memory to the system, and set what is left aside from collections.

    Importing leaves some megabytes of holes, which the C library keeps. What is set aside stays in pages that the
    children of a pool share: a collection would write to each object, and so make a copy of its page.
    """
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if trim is not None:
        trim(0)
