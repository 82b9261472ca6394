"""A signal is readable while it is set."""

import select

from celeriac.transport.signal import Signal


def readable(signal: Signal) -> bool:
    return bool(select.select([signal.fileno()], [], [], 0)[0])


def test_it_is_readable_while_set() -> None:
    signal = Signal()
    assert not readable(signal)
    signal.set()
    signal.set()
    assert readable(signal)
    signal.clear()
    assert not readable(signal)
    signal.clear()
    signal.set()
    assert readable(signal)
    signal.close()
    signal.set()
