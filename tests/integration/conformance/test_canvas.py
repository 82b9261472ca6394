"""Tasks made of tasks."""

import time
from typing import Any

from celery import chain, chord, group
from tests.integration.conformance.conftest import Subject, finished, state

from celeriac.testing import until


def test_chain(subject: Subject) -> None:
    """chain"""
    work = chain(subject.signature("added", 1, 2), subject.signature("added", 10), subject.signature("added", 100))
    assert finished(work.apply_async()) == 113


def test_group(subject: Subject) -> None:
    """group"""
    result: Any = group(subject.signature("added", number, 1) for number in range(10)).apply_async()
    until(result.ready)
    assert [part.result for part in result.results] == list(range(1, 11))


def test_chord(subject: Subject) -> None:
    """chord"""
    header = [subject.signature("added", number, 1) for number in range(10)]
    assert finished(chord(header)(subject.signature("total"))) == sum(range(1, 11))


def test_chord_failure(subject: Subject) -> None:
    """chord with a part that fails: the body fails"""
    header = [subject.signature("added", 1, 1), subject.signature("failing", 7)]
    result = chord(header)(subject.signature("total"))
    finished(result)
    assert state(result) == "FAILURE"


def test_callbacks(subject: Subject) -> None:
    """Callbacks of success and of failure"""
    key = f"callbacks:{subject.pool}:{subject.kind}:{time.time()}"
    good = subject.signature("added", 1, 2)
    good.link(subject.app.tasks[f"noted.{subject.kind}"].signature((key,), immutable=True, queue=subject.pool))
    good.apply_async()
    until(lambda: subject.notes(key) == ["began", "ended"])
    bad = subject.signature("failing", 7)
    bad.link_error(subject.signature("error_noted", key))
    result = bad.apply_async()
    until(lambda: len(subject.notes(key)) == 3)
    assert subject.notes(key)[2] == f"{result.id} DeclinedError"
