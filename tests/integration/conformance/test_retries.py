"""Runs that run again."""

from tests.integration.conformance.conftest import Subject, finished, state

from celeriac.testing import until


def test_retry(subject: Subject) -> None:
    """`self.retry()`, by hand"""
    result = subject.send("retried", True)
    assert finished(result) == 2
    assert subject.notes(f"runs:{result.id}") == ["0", "1", "2"]


def test_retries_exhausted(subject: Subject) -> None:
    """Retries used up: the run fails with the exception given"""
    result = subject.send("retried", False)
    error = finished(result)
    assert (type(error).__name__, result.state) == ("DeclinedError", "FAILURE")
    assert subject.notes(f"runs:{result.id}") == ["0", "1", "2"]


def test_autoretry(subject: Subject) -> None:
    """`autoretry_for` with back-off"""
    result = subject.send("autoretried")
    assert finished(result) == 2
    assert subject.notes(f"runs:{result.id}") == ["0", "1", "2"]


def test_reject(subject: Subject) -> None:
    """`Reject(requeue=False)`: the run fails"""
    result = subject.send("rejected", False)
    finished(result)
    assert state(result) == "FAILURE"
    assert len(subject.notes(f"runs:{result.id}")) == 1


def test_reject_requeue(subject: Subject) -> None:
    """`Reject(requeue=True)`: it is delivered again"""
    result = subject.send("rejected", True)
    assert finished(result) == "run 2"


def test_signals(subject: Subject) -> None:
    """Signals: prerun, retry, postrun, success, failure"""
    good, bad = subject.send("signalled", False), subject.send("signalled", True)
    finished(good), finished(bad)
    once = ["task_prerun", "task_retry", "task_postrun", "task_prerun"]
    _expect(subject, good.id, [*once, "task_success", "task_postrun"])
    _expect(subject, bad.id, [*once, "task_failure", "task_postrun"])


def _expect(subject: Subject, id: str, names: list[str]) -> None:
    until(lambda: len(subject.notes(f"signals:{id}")) >= len(names))
    assert subject.notes(f"signals:{id}") == names
