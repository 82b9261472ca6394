"""Every result store: a value, a failure, a group, a chord, an expiry, and an outage in the middle of a run."""

import time
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from string import ascii_letters
from typing import Any

import pytest
from celery import Celery, chord, group
from celery.exceptions import ChordError
from celery.result import AsyncResult

from celeriac import keys
from celeriac.app import create_app
from celeriac.testing import Platform, Server, until
from cookbook.patterns.basic import add, fetch
from cookbook.patterns.steps import StepError, aggregate, process_item

from .stores import Store, opened

STORES = ["with-the-runs", "redis", "sqlite", "postgresql", "rpc"]


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp(request.param)
    with Server(folder / "broker") as broker, opened(request.param, broker, folder) as store:
        yield store


@pytest.fixture(scope="module")
def platform(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    settings = {**store.settings, "result_max_bytes": "10000", "task_packages": "cookbook.patterns"}
    with Platform(folder, store.broker.url, **settings) as platform:
        platform.worker(worker_concurrency="4")
        platform.scheduler()
        yield platform


@pytest.fixture(scope="module")
def reading(platform: Platform) -> Iterator[Celery]:
    """An app that can read results, as any process with the same settings."""
    app = create_app(platform.settings, "worker")
    with platform.current(app):
        app.finalize()
        yield app


def state(platform: Platform, result: AsyncResult[object]) -> str:
    return str(platform.ended(str(result.id), 90).state)


def test_a_value(platform: Platform, reading: Celery) -> None:
    result = add.delay(4, 4)
    assert not result.ready()
    assert result.get(timeout=90) == 8
    assert result.successful()
    assert result.state == "SUCCESS"
    assert state(platform, result) == "succeeded"


def test_a_failure_with_an_exception_of_ones_own(platform: Platform, reading: Celery) -> None:
    result = process_item.delay({"fail": True, "name": "shoes"})
    with pytest.raises(StepError, match="cannot process shoes"):
        result.get(timeout=90)
    assert isinstance(result.info, StepError)
    assert state(platform, result) == "failed"


def test_a_group_of_a_hundred(platform: Platform, reading: Celery) -> None:
    results = group(add.s(n, n) for n in range(100)).apply_async()
    assert results.get(timeout=110) == [2 * n for n in range(100)]


def test_a_chord(platform: Platform, reading: Celery) -> None:
    work = chord((process_item.s({"n": n}) for n in range(5)), aggregate.s())
    assert work.apply_async().get(timeout=110)["total"] == 5


def test_a_chord_with_a_part_that_fails(platform: Platform, reading: Celery) -> None:
    parts = [process_item.s({"n": 1}), process_item.s({"fail": True, "name": "shoes"})]
    with pytest.raises((ChordError, StepError), match="cannot process shoes"):  # whichever is heard of first
        chord(parts, aggregate.s()).apply_async().get(timeout=110)


def test_a_chord_whose_header_holds_a_group(platform: Platform, reading: Celery) -> None:
    parts = [process_item.s({"n": 0}) | group(process_item.s(), process_item.s()), process_item.s({"n": 1})]
    both, one = chord(parts, aggregate.s()).apply_async().get(timeout=110)["results"]
    assert both == [{"processed": {"processed": {"n": 0}}}] * 2
    assert one == {"processed": {"n": 1}}


def test_a_result_that_is_too_large_fails_and_says_so(platform: Platform, reading: Celery) -> None:
    text = "".join(Random(7).choices(ascii_letters, k=30_000))  # which no compression makes small
    result = process_item.delay({"text": text})
    assert state(platform, result) == "failed"
    error = platform.record(str(result.id)).error
    assert error is not None
    assert "10000 are allowed (CELERIAC_RESULT_MAX_BYTES)" in error["message"]


def test_forgotten(platform: Platform, reading: Celery, store: Store) -> None:
    result = add.delay(1, 1)
    assert result.get(timeout=90) == 2
    result.forget()
    if store.name != "rpc":
        assert AsyncResult(str(result.id), app=reading).state == "PENDING"


def test_expired(platform: Platform, reading: Celery, store: Store) -> None:
    result = add.delay(1, 1)
    assert result.get(timeout=90) == 2
    backend: Any = reading.backend
    if store.name == "with-the-runs":
        assert 0 < platform.client.ttl(keys.RESULT + str(result.id)) <= 86_400
    elif store.name == "redis":
        key = f"shop_{keys.RESULT}{result.id}"
        assert 0 < backend.client.ttl(key) <= 86_400
    elif store.name == "rpc":  # the messages of the queue go together, and one that was read is gone
        assert state(platform, add.delay(1, 1)) == "succeeded"
        until(lambda: 0 < platform.client.ttl(reading.thread_oid) <= 86_400)
    else:
        backend.expires = timedelta(seconds=0.5)
        until(lambda: backend.cleanup() or AsyncResult(str(result.id), app=reading).state == "PENDING")


def test_the_store_goes_away_and_comes_back_in_the_middle_of_a_run(
    platform: Platform, reading: Celery, store: Store
) -> None:
    result: AsyncResult[Any] = fetch.delay("k", 2.0)
    until(lambda: platform.record(str(result.id)).state == "running", 60)
    store.go_away()
    ends = time.monotonic() + 4
    until(lambda: time.monotonic() > ends)  # the run ends while its store is away
    store.come_back()
    assert state(platform, result) == "succeeded"
    assert platform.record(str(result.id)).deliveries == 1
    assert result.get(timeout=60) == {"fetched": "k"}
