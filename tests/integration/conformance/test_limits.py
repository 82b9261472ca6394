"""Time, memory and rate."""

import time

from tests.integration.conformance.conftest import Subject, finished, state

from celeriac.testing import until


def test_soft_limit(subject: Subject) -> None:
    """Soft time limit: the run fails with `SoftTimeLimitExceeded`"""
    outcome = finished(subject.send("softly_limited", False))
    if subject.difference:
        assert outcome == "not interrupted"
    else:
        assert type(outcome).__name__ == "SoftTimeLimitExceeded"


def test_soft_limit_caught(subject: Subject) -> None:
    """Soft time limit, caught by the task, which then succeeds"""
    outcome = finished(subject.send("softly_limited", True))
    assert outcome == ("not interrupted" if subject.difference else "cleaned up")


def test_hard_limit(subject: Subject) -> None:
    """Hard time limit: the run fails with `TimeLimitExceeded`"""
    outcome = finished(subject.send("hard_limited"))
    if subject.difference:
        assert outcome == "not interrupted"
    else:
        assert type(outcome).__name__ == "TimeLimitExceeded"


def test_rate_limit(subject: Subject) -> None:
    """Rate limit (4 a second here)"""
    key = f"rate:{subject.pool}:{subject.kind}:{time.time()}"
    results = [subject.send("rate_limited", key) for _ in range(9)]
    for result in results:
        finished(result)
    starts = sorted(float(note) for note in subject.notes(key))
    assert starts[-1] - starts[0] >= 1  # 2 s but for starts that a busy machine delays; without a limit 0.1 s


def test_expires(subject: Subject) -> None:
    """`expires`: a run that is too late does not run"""
    key = f"expires:{subject.pool}:{subject.kind}:{time.time()}"
    result = subject.send("noted", key, countdown=1, expires=0.2)
    finished(result)
    assert state(result) == "REVOKED"
    assert subject.notes(key) == []


def test_memory_error(subject: Subject) -> None:
    """`MemoryError`: the run is a dead letter, the worker lives"""
    outcome = finished(subject.send("out_of_memory"))
    assert type(outcome).__name__ == "MemoryExhaustedError"
    assert finished(subject.send("added", 1, 2)) == 3


def test_custom_exception(subject: Subject) -> None:
    """Exceptions of the task's own classes"""
    result = subject.send("failing", 7)
    error = finished(result)
    assert (type(error).__name__, error.args, result.state) == ("DeclinedError", (7,), "FAILURE")


def test_ignore(subject: Subject) -> None:
    """`Ignore`: no result is stored"""
    key = f"ignore:{subject.pool}:{subject.kind}:{time.time()}"
    result = subject.send("ignored", key)
    until(lambda: subject.notes(key))
    finished(subject.send("added", 1, 2))
    assert result.state in ("PENDING", "STARTED")
