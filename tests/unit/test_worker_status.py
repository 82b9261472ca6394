"""What a worker's probes say, by a clock that the test moves."""

import pytest

from celeriac.settings.service import WorkerSettings
from celeriac_worker.status import DRAIN_MARGIN, Status


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make(clock: Clock, active: int = 0, solo_limit: float | None = None) -> Status:
    settings = WorkerSettings(tick_seconds=30, reconnect_seconds=180, drain_seconds=20)
    return Status(settings, active=lambda: active, solo_limit=solo_limit, clock=clock)


def test_starting_is_alive_and_not_ready(clock: Clock) -> None:
    status = make(clock)
    assert status.unfit_to_live() == []
    assert status.unfit_for_work() == ["starting"]
    clock.now += 181
    assert status.unfit_to_live() == ["starting for 181 s, 180 s are allowed"]


def test_a_silent_loop_is_neither(clock: Clock) -> None:
    status = make(clock, active=1)
    status.enter("ready")
    assert status.unfit_for_work() == []
    clock.now += 31
    assert status.unfit_to_live() == status.unfit_for_work() == ["the main loop has been silent for 31 s"]
    status.tick()
    assert status.unfit_for_work() == []


def test_a_solo_run_may_take_its_time_limit(clock: Clock) -> None:
    status = make(clock, active=1, solo_limit=600)
    status.enter("ready")
    clock.now += 629
    assert status.unfit_to_live() == []
    clock.now += 2
    assert status.unfit_to_live() != []


def test_an_idle_solo_worker_may_not(clock: Clock) -> None:
    status = make(clock, active=0, solo_limit=600)
    status.enter("ready")
    clock.now += 31
    assert status.unfit_to_live() != []


def test_failed_attempts_to_reconnect_count_from_the_first(clock: Clock) -> None:
    status = make(clock)
    status.enter("ready")
    status.enter("reconnecting")
    for _ in range(19):
        clock.now += 10
        status.enter("reconnecting")
    assert status.unfit_to_live() == ["reconnecting for 190 s, 180 s are allowed"]


def test_a_lost_link_shows_at_once_and_heals_with_a_tick(clock: Clock) -> None:
    status = make(clock)
    status.consuming = True
    status.enter("ready")
    up = False
    status.linked = lambda: up
    assert status.unfit_for_work() == ["reconnecting"]
    status.tick()
    assert status.phase == "reconnecting"
    up = True
    status.tick()
    assert status.unfit_for_work() == []


def test_draining_is_alive_for_its_time_and_has_no_way_back(clock: Clock) -> None:
    status = make(clock)
    status.enter("draining")
    status.enter("reconnecting")
    status.enter("ready")
    assert status.unfit_for_work() == ["draining"]
    clock.now += 20 + DRAIN_MARGIN
    assert status.unfit_to_live() == []
    clock.now += 1
    assert status.unfit_to_live() == ["draining for 36 s, 35 s are allowed"]
