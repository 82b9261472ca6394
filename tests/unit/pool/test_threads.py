import threading

import pytest

from celeriac.pool.threads import Interruption, Threads
from celeriac.testing import until


class LimitError(Exception):
    pass


def test_no_more_threads_than_allowed() -> None:
    threads = Threads("test", 2)
    go = threading.Event()
    names: set[str] = set()

    def work() -> None:
        go.wait(10)
        names.add(threading.current_thread().name)

    for _ in range(10):
        threads.submit(work)
    until(lambda: threads.info["now"] == 2)
    go.set()
    until(lambda: threads.info["jobs"] == 0)
    assert len(names) <= 2
    threads.stop()
    until(lambda: threads.info["now"] == 0)


def test_a_thread_that_is_written_off_is_replaced_until_it_comes_back() -> None:
    threads = Threads("test", 1)
    stuck, ran = threading.Event(), threading.Event()
    threads.submit(lambda: stuck.wait(10))
    threads.submit(ran.set)
    assert not ran.is_set()
    threads.write_off()
    assert ran.wait(10)
    stuck.set()
    threads.recover()
    until(lambda: threads.info["jobs"] == 0)
    assert threads.info["lost"] == 0
    threads.stop()


def test_interruption_reaches_the_function_and_nothing_after_it() -> None:
    interruption = Interruption()
    running = threading.Event()
    outcome: list[str] = []

    def spin() -> None:
        running.set()
        while True:
            pass

    def work() -> None:
        try:
            interruption.call(spin)
        except LimitError:
            outcome.append("limit")
        interruption.interrupt(LimitError)  # the function is over: there is nothing to interrupt
        outcome.append("after")

    thread = threading.Thread(target=work)
    thread.start()
    assert running.wait(10)
    interruption.interrupt(LimitError)
    thread.join(10)
    assert outcome == ["limit", "after"]


def test_interruption_before_the_function_begins() -> None:
    interruption = Interruption()
    interruption.interrupt(LimitError)
    with pytest.raises(LimitError):
        interruption.call(lambda: None)
