import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celeriac.testing import Platform, Server

PACKAGES = Path(__file__).parent / "packages"
sys.path.insert(0, str(PACKAGES))  # this process registers the tasks it sends, as any sender may
SETTINGS = {"task_packages": "cookbook.patterns,once_tasks,reporting_tasks,working_tasks", "result_extended": "true"}


@pytest.fixture(scope="module")
def packages() -> Iterator[None]:
    """The task packages of these tests can be imported in workers too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PACKAGES))
        yield


@pytest.fixture(scope="module")
def platform(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A worker with four processes and a scheduler, for all tests of a module."""
    folder = tmp_path_factory.mktemp("platform")
    with Server(folder / "valkey") as server, Platform(folder, server.url, **SETTINGS) as platform:
        platform.worker(worker_concurrency="4")
        platform.scheduler()
        yield platform


@pytest.fixture
def fresh(packages: None, client: redis.Redis, shared_server: Server, tmp_path: Path) -> Iterator[Platform]:
    """An empty Redis and no process yet, for a test that starts its own."""
    with Platform(tmp_path, shared_server.url, **SETTINGS) as platform:
        yield platform
