"""The scheduler as a process: leading, standing by, ending."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import redis

from celeriac import keys
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Server, until

from .conftest import StartScheduler


def late(client: redis.Redis, seconds: float) -> str:
    run = Submission(task="shop.report", queue="default", priority=0, due=time.time() + seconds)
    submit(client, run, DeliverySettings(delay_threshold_seconds=0))
    return run.id


def test_sigterm_gives_the_lease_up(client: redis.Redis, shared_server: Server, start: StartScheduler) -> None:
    scheduler = start(shared_server.url)
    until(scheduler.leads)
    assert scheduler.get("/healthz").status_code == scheduler.get("/readyz").status_code == 200
    assert scheduler.end() == 0
    assert not client.exists(keys.LEADER)


def test_a_standby_takes_over_from_a_killed_leader(
    client: redis.Redis, shared_server: Server, start: StartScheduler
) -> None:
    first = start(shared_server.url)
    until(first.leads)
    second = start(shared_server.url)
    until(lambda: second.get("/readyz").status_code == 200)
    assert not second.leads()
    assert second.metric('celery_queue_unacked{queue="default"}') is None, "only the leader shows the queues"

    first.signal(signal.SIGKILL)
    late(client, 0.1)
    took = until(lambda: client.llen("default") == 1, deadline=30)

    print(f"takeover and first promotion {took:.1f} s after SIGKILL")
    assert took <= 15
    assert second.leads()


def test_a_stopped_leader_writes_nothing_when_it_goes_on(
    client: redis.Redis, shared_server: Server, start: StartScheduler
) -> None:
    first, second = (start(shared_server.url, scheduler_lease_seconds="1") for _ in range(2))
    until(lambda: first.leads() or second.leads())
    old, new = (first, second) if first.leads() else (second, first)
    old.signal(signal.SIGSTOP)
    until(new.leads)
    old.signal(signal.SIGCONT)
    until(lambda: "standing by" in old.log)
    assert not old.leads()
    assert old.process.poll() is None
    assert client.get(keys.FENCE) == b"2"
    assert (old.end(), new.end()) == (0, 0)


def test_redis_killed_and_back(server: Server, start: StartScheduler) -> None:
    """It does not exit, says that it is not ready, and moves what fell due in between."""
    scheduler = start(server.url, scheduler_lease_seconds="1")
    until(scheduler.leads)
    with server.client() as client:
        late(client, 1)
    server.kill()
    until(lambda: scheduler.get("/readyz").status_code == 503)
    assert scheduler.get("/healthz").status_code == 200
    server.start()
    with server.client() as client:
        took = until(lambda: client.llen("default") == 1)
    print(f"promoted {took:.1f} s after Redis was back")
    assert scheduler.end() == 0


def test_without_redis_at_the_start_it_waits(server: Server, start: StartScheduler) -> None:
    server.stop()
    scheduler = start(server.url)
    until(lambda: scheduler.get("/healthz").status_code == 200)
    assert scheduler.get("/readyz").status_code == 503
    server.start()
    until(scheduler.leads)
    assert scheduler.end() == 0


def test_an_unusable_setting_ends_it_with_a_word(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "celeriac_scheduler.main"],
        env={"CELERIAC_SCHEDULER_LEASE_SECONDS": "0"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "CELERIAC_SCHEDULER_LEASE_SECONDS" in ended.stderr


def test_the_leader_shows_the_queues(client: redis.Redis, shared_server: Server, start: StartScheduler) -> None:
    for number in (0, 4, 4):
        submit(client, Submission(task="shop.report", queue="io", priority=number), DeliverySettings())
    client.hset(keys.UNACKED + "io", f"owner|1|{keys.queue_list('io', 9)}", "{}")
    client.zadd(keys.LEASES, {"io/owner": (time.time() + 60) * 1000})
    late(client, 60)

    scheduler = start(shared_server.url)
    until(lambda: scheduler.metric('celery_queue_unacked{queue="io"}') == 1)

    for priority, length in (("0", 1), ("3", 2), ("6", 0), ("9", 0)):
        assert scheduler.metric(f'celery_queue_length{{priority="{priority}",queue="io"}}') == length
    age = scheduler.metric('celery_queue_oldest_age_seconds{queue="io"}')
    assert age is not None
    assert 0 < age < 60
    assert scheduler.metric("celeriac_delayed_runs") == 1
    assert scheduler.metric("celeriac_leases") == 1
    assert scheduler.metric("celeriac_dead_letters") == 0
