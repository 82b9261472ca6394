"""Threads for what blocks: sync tasks, and the tracer's round trips to Redis."""

import ctypes
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """At most *size* threads, made when needed.

    They are daemons, unlike those of ``ThreadPoolExecutor``: a sync task that nothing can stop must not keep a worker
    from exiting whose time is up.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._unfinished = 0
        self._lost = 0

    @property
    def info(self) -> dict[str, int]:
        """How many threads there may be and are, how many jobs run or wait, and how many threads are written off."""
        return {"max": self._size, "now": self._threads, "jobs": self._unfinished, "lost": self._lost}

    def submit(self, job: Callable[[], object]) -> None:
        """Run *job* when a thread is free. It must not raise."""
        with self._lock:
            self._unfinished += 1
            if self._threads < min(self._unfinished, self._size):
                self._spawn()
        self._jobs.put(job)

    def write_off(self) -> None:
        """Allow another thread in the place of one that is stuck."""
        with self._lock:
            self._lost += 1
            self._size += 1
            if self._threads < min(self._unfinished, self._size):
                self._spawn()

    def recover(self) -> None:
        """Count a thread again that was written off and came back after all."""
        with self._lock:
            self._lost -= 1
            self._size -= 1

    def stop(self) -> None:
        """Let the threads end when they have done what was submitted."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _spawn(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        surplus = False
        while not surplus and (job := self._jobs.get()) is not None:
            job()
            del job  # an idle thread keeps nothing of its last run alive
            with self._lock:
                self._unfinished -= 1
                surplus = self._threads > self._size
        with self._lock:
            self._threads -= 1


class Interruption:
    """Raises an exception in the thread that is inside :meth:`call`, and in no other code of that thread.

    CPython raises it between two bytecodes: code that waits in C (a socket, ``time.sleep``) notices when it returns.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._pending: type[BaseException] | None = None

    def call(self, function: Callable[[], T]) -> T:
        """Call *function*; :meth:`interrupt` reaches it until it returns."""
        with self._lock:
            if self._pending is not None:
                raise self._pending
            self._thread = threading.get_ident()
        try:
            return function()
        finally:
            with self._lock:
                thread, self._thread = self._thread, None
                if thread is not None:
                    _raise_in(thread, None)

    def interrupt(self, error: type[BaseException]) -> None:
        """Raise *error* in the function, or before it begins."""
        with self._lock:
            if self._thread is not None:
                _raise_in(self._thread, error)
            else:
                self._pending = error


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)
