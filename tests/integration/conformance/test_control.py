"""Stopping runs."""

import time

from tests.integration.conformance.conftest import Subject, finished, state

from celeriac.cancel import Outcome, cancel
from celeriac.redis import connect_async
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Server, until


def test_revoke(subject: Subject) -> None:
    """`revoke` before the start: it does not run"""
    key = f"revoke:{subject.pool}:{subject.kind}:{time.time()}"
    result = subject.send("noted", key, countdown=1.5)
    result.revoke()
    finished(result)
    assert state(result) == "REVOKED"
    assert subject.notes(key) == []


def test_terminate(subject: Subject) -> None:
    """`revoke(terminate=True)` of one that runs: it stops"""
    key = f"terminate:{subject.pool}:{subject.kind}:{time.time()}"
    result = subject.send("noted", key, 3.0)
    until(lambda: subject.notes(key))
    result.revoke(terminate=True)
    finished(result)
    if subject.difference:
        until(lambda: subject.notes(key) == ["began", "ended"])
    else:
        assert state(result) == "REVOKED"
        assert subject.notes(key) == ["began"]
    assert finished(subject.send("added", 1, 2)) == 3


async def test_cancelled(subject: Subject, server: Server) -> None:
    """`celeriac.task.cancelled()` tells a task to stop, and the run ends as cancelled"""
    key = f"cancelled:{subject.pool}:{subject.kind}:{time.time()}"
    result = subject.send("cancellable", key)
    until(lambda: subject.notes(key))
    async with connect_async(RedisSettings(url=server.url)) as client:
        outcome = await cancel(client, result.id, reason="a test", hard=False, keep_seconds=60)
    assert outcome is Outcome.REQUESTED
    finished(result)
    assert state(result) == "REVOKED"
    assert subject.notes(key) == ["began", "stopped"]
