"""What a run writes beside its result: a server that takes no writes for now fails nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery import states
from celery.result import EagerResult, GroupResult

from celeriac import keys
from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Server, until


def nested(app: Any) -> tuple[str, list[Any]]:
    inner = GroupResult("inner", [EagerResult("a", None, states.SUCCESS)], app=app)
    return "outer", [inner, EagerResult("b", None, states.SUCCESS)]


WRITES: dict[str, Callable[[Any], object]] = {
    "the number of a chord's parts": lambda app: app.backend.set_chord_size("outer", 2),
    "the structure of a chord's header": lambda app: app.backend.apply_chord(nested(app), None),
    "a group": lambda app: GroupResult(*nested(app), app=app).save(),
    "the result of another run": lambda app: app.backend.store_result("b", ValueError("no"), states.FAILURE),
}


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # Celery's
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_it_waits_until_it_is_taken(server: Server, write: Callable[[Any], object]) -> None:
    app = create_app(Settings(redis=RedisSettings(url=server.url)), "worker")
    with server.client() as client, ThreadPoolExecutor() as executor:
        client.hset(keys.RUN + "b", "state", "replaced")
        client.config_set("min-replicas-to-write", 1)
        writing = executor.submit(write, app)

        def refused() -> int:
            found = client.info("errorstats").get("errorstat_NOREPLICAS", {"count": 0})
            return int(found["count"])

        until(lambda: refused() > 1 or writing.done())
        assert not writing.done(), writing.exception()
        client.config_set("min-replicas-to-write", 0)
        writing.result(20)
        assert client.keys("celery-*")
