"""Everything in Redis is known and bounded: ``docs/redis-keys.md`` lists all keys, and names no others."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
from celery import chord

from celeriac import keys, scripts
from celeriac.app import create_app
from celeriac.states import State
from celeriac.testing import Platform, Server, until

PAGE = Path(__file__).parents[2] / "docs" / "redis-keys.md"


class Row(NamedTuple):
    pattern: re.Pattern[str]
    type: str
    text: str


def rows() -> list[Row]:
    found = re.findall(r"^\| `([^`]+)` \| (\w+) \|", PAGE.read_text(), re.MULTILINE)
    assert len(found) > 30
    return [Row(_pattern(name), kind, name) for name, kind in found]


def _pattern(name: str) -> re.Pattern[str]:
    name = name.replace(r"\x06\x16", keys.PRIORITY_SEPARATOR)
    pieces = [".+" if part.startswith("<") else re.escape(part) for part in re.split(r"(<[^>]+>)", name)]
    return re.compile("default|io" if name == "<queue>" else "".join(pieces))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_every_name_of_the_core_is_listed() -> None:
    page = PAGE.read_text()
    names = [value for name, value in vars(keys).items() if name.isupper() and str(value).startswith("celeriac:")]
    assert len(names) > 25
    assert [name for name in names if name != keys.PREFIX and f"`{name}" not in page] == []


@pytest.mark.timeout(300)
def test_a_workload_leaves_no_key_that_is_not_listed(
    client: redis.Redis, shared_server: Server, tmp_path: Path
) -> None:
    with Platform(tmp_path, shared_server.url, task_packages="cookbook.patterns") as platform:
        run_all_kinds(platform)
        found = {_text(key): _text(client.type(key)) for key in client.scan_iter()}
        listed = rows()
        unknown = {
            name: kind
            for name, kind in found.items()
            if not any(row.pattern.fullmatch(name) and row.type == kind for row in listed)
        }
        assert unknown == {}
        met = {row.text for row in listed if any(row.pattern.fullmatch(name) for name in found)}
        print(f"{len(found)} keys of {len(met)} kinds")
        assert {"celeriac:run:<id>", "celeriac:artifact:<id>", "celeriac:dead:<id>", "celeriac:delayed"} <= met
        check_what_has_ended_expires(client)


def run_all_kinds(platform: Platform) -> None:
    """Success with artifacts, failure, chord, delay, cancellation, dead letter, schedules."""
    client = platform.client
    platform.scheduler(scheduler_lease_seconds="1")
    platform.worker(worker_queues="default,io", worker_pool="threads", task_entry_points="true")
    item = "cookbook.patterns.steps.process_item"
    with platform.current(create_app(platform.settings, "worker")) as app:
        parts = [app.signature(item, args=[{"n": n}]) for n in range(3)]
        whole = chord(parts)(app.signature("cookbook.patterns.steps.aggregate")).id
        app.close()
    report = platform.send("cookbook.report", 2025)
    failing = platform.send("cookbook.patterns.steps.aggregate", None)
    delayed, cancelled = (platform.send(item, {}, countdown=3600) for _ in range(2))
    scripts.run(client, "cancel", [], ["by a test", 0, 60, cancelled])
    client.lpush("default", "nobody can read this")
    for id in (whole, report, failing, cancelled):
        platform.ended(id, deadline=120)
    until(lambda: client.zcard(keys.DEAD) == 1)
    assert platform.record(report).state is State.SUCCEEDED
    assert platform.record(delayed).state is State.SCHEDULED


def check_what_has_ended_expires(client: redis.Redis) -> None:
    for key in client.scan_iter(keys.RUN + "*"):
        values: Any = client.hmget(key, ["state"])
        state = values[0].decode()
        assert (client.ttl(key) > 0) == (state != State.SCHEDULED), (key, state)
    for key in (*client.scan_iter(keys.RESULT + "*"), *client.scan_iter(keys.ARTIFACT + "*")):
        assert client.ttl(key) > 0, key
