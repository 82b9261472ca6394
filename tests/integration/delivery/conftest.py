from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import redis

from celeriac import keys
from celeriac.record import Record
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Server, ServiceProcess, Worker, until

APPS = Path(__file__).parent / "apps"

StartWorker = Callable[..., Worker]
Submit = Callable[..., str]
StartLeader = Callable[..., ServiceProcess]


@pytest.fixture
def start_worker(shared_server: Server, client: redis.Redis, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers of the test application on the shared server, and kills them at the end."""
    started: list[Worker] = []

    def start(
        pool: str = "solo",
        *,
        concurrency: int = 1,
        queues: str = "default",
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        server: Server = shared_server,
    ) -> Worker:
        worker = Worker(
            tmp_path,
            "delivery_app",
            path=APPS,
            pool=pool,
            concurrency=concurrency,
            name=f"worker{len(started)}",
            options=("-Q", queues, *options),
            environment={
                "CELERIAC_REDIS_URL": server.url,
                "CELERIAC_WORKER_CONCURRENCY": str(concurrency),
                "TEST_PORT": str(server.port),
                **(environment or {}),
            },
        )
        started.append(worker)
        return worker.start().wait_ready()

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def start_leader(tmp_path: Path) -> Iterator[StartLeader]:
    """Starts schedulers, whose leader takes back what lost workers held."""
    started: list[ServiceProcess] = []

    def start(server: Server, **settings: str) -> ServiceProcess:
        folder = tmp_path / f"scheduler{len(started)}"
        process = ServiceProcess(
            "celeriac_scheduler.main", server.url, folder, "scheduler is up", scheduler_lease_seconds="2", **settings
        )
        started.append(process)
        return process.wait_ready(60)

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def send(client: redis.Redis) -> Submit:
    """Submits a run of the test application, and returns its id."""

    def send_(task: str, *args: object, queue: str = "default", priority: int = 3, **fields: object) -> str:
        submission = Submission(task=f"delivery_app.{task}", queue=queue, priority=priority, args=args, **fields)  # type: ignore[arg-type]
        return submit(client, submission, DeliverySettings()).id

    return send_


def record(client: redis.Redis, run: str) -> Record:
    """Return the record of *run*, which must exist."""
    found = Record.read(run, client.hgetall(keys.RUN + run))
    assert found is not None
    return found


def ended(client: redis.Redis, run: str, deadline: float = 60) -> Record:
    """Wait until *run* has ended, and return its record."""
    until(lambda: record(client, run).finished is not None, deadline)
    return record(client, run)


def words(client: redis.Redis, name: str) -> list[str]:
    """Return what the runs left under *name*, the first first."""
    return [bytes(word).decode() for word in client.lrange(f"test:{name}", 0, -1)]  # type: ignore[arg-type]


def held(client: redis.Redis, group: str = "default") -> int:
    """Return how many deliveries *group* has in flight."""
    return int(client.hlen(keys.UNACKED + group))
