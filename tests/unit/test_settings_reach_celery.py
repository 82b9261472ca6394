"""Every knob of the best-practices document: its variable, the Celery setting it reaches, and what lies between."""

import re
from pathlib import Path
from typing import Any

import pytest

from celeriac.app import create_app
from celeriac.settings import load

KNOBS: list[tuple[str, str, str, Any]] = [
    ("CELERIAC_REDIS_URL", "redis://cache:6380/2", "broker_url", "redis://cache:6380/2"),
    ("CELERIAC_REDIS_TIMEOUT", "5", "broker_transport_options.socket_timeout", 5.0),
    ("CELERIAC_REDIS_CONNECT_TIMEOUT", "2", "redis_socket_connect_timeout", 2.0),
    ("CELERIAC_RESULT_BACKEND", "rpc://", "result_backend", "celeriac.results:RpcBackend+rpc://"),
    ("CELERIAC_TASK_SERIALIZER", "json", "task_serializer", "json"),
    ("CELERIAC_TASK_SERIALIZER", "json", "result_serializer", "json"),
    ("CELERIAC_TASK_SERIALIZER", "json", "accept_content", ["json"]),
    ("CELERIAC_SCHEDULER_TIMEZONE", "Europe/Berlin", "timezone", "Europe/Berlin"),
    ("CELERIAC_TASK_TRACK_STARTED", "false", "task_track_started", False),
    ("CELERIAC_TASK_TIME_LIMIT", "3600", "task_time_limit", 3600.0),
    ("CELERIAC_TASK_SOFT_TIME_LIMIT", "60", "task_soft_time_limit", 60.0),
    ("CELERIAC_TASK_ACKS_LATE", "true", "task_acks_late", True),
    ("CELERIAC_TASK_REJECT_ON_WORKER_LOST", "false", "task_reject_on_worker_lost", False),
    ("CELERIAC_TASK_DEFAULT_QUEUE", "io", "task_default_queue", "io"),
    ("CELERIAC_TASK_DEFAULT_PRIORITY", "6", "task_default_priority", 6),
    ("CELERIAC_TASK_ROUTES", '{"shop.*": "io"}', "task_routes", [{"shop.*": {"queue": "io"}}]),
    ("CELERIAC_WORKER_PREFETCH_MULTIPLIER", "1", "worker_prefetch_multiplier", 1),
    ("CELERIAC_WORKER_MAX_TASKS_PER_CHILD", "50", "worker_max_tasks_per_child", 50),
    ("CELERIAC_WORKER_MAX_TASKS_PER_CHILD", "0", "worker_max_tasks_per_child", None),
    ("CELERIAC_WORKER_MAX_MEMORY_PER_CHILD_KIB", "200000", "worker_max_memory_per_child", 200_000),
    ("CELERIAC_WORKER_RATE_LIMITS", "false", "worker_disable_rate_limits", True),
    ("CELERIAC_WORKER_CONCURRENCY", "4", "worker_concurrency", 4),
    ("CELERIAC_WORKER_EVENTS", "false", "worker_send_task_events", False),
    ("CELERIAC_RESULT_EXPIRES_SECONDS", "3600", "result_expires", 3600),
    ("CELERIAC_RESULT_EXTENDED", "true", "result_extended", True),
    ("CELERIAC_RESULT_COMPRESSION", "gzip", "result_compression", "gzip"),
]

ELSEWHERE = {
    "enable_utc": "always true: Redis' clock and every record are UTC",
    "visibility_timeout": "replaced by CELERIAC_DELIVERY_LEASE_SECONDS: a lease, renewed while its worker lives",
    "retry_policy": "replaced by CELERIAC_REDIS_TIMEOUT and the outbox, which repeats a write until Redis is back",
    "timeout": "within retry_policy",
    "beat_schedule": "docs/schedules.md",
    "broker_transport_options": "made from CELERIAC_REDIS_*",
    "result_backend_transport_options": "made from CELERIAC_REDIS_*",
    "master_name": "CELERIAC_REDIS_SENTINEL_MASTER, tested with Sentinels",
    "sentinel_kwargs": "CELERIAC_REDIS_SENTINEL_PASSWORD, tested with Sentinels",
    "password": "within sentinel_kwargs",
    "global_keyprefix": "CELERIAC_RESULT_PREFIX, with a Redis of its own",
    "worker_pool": "CELERIAC_WORKER_POOL, tested with workers of each pool",
    "result_persistent": "CELERIAC_RESULT_PERSISTENT, with an rpc:// backend",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("variable", "value", "knob", "reached"), KNOBS)
def test_a_knob_reaches_celery(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, knob: str, reached: object
) -> None:
    before = look_up(knob)
    monkeypatch.setenv(variable, value)
    assert look_up(knob) == reached
    if variable not in ("CELERIAC_TASK_SERIALIZER", "CELERIAC_TASK_ACKS_LATE"):
        assert before != reached, "the value proves nothing: it is the default"


def look_up(knob: str) -> Any:
    name, _, part = knob.partition(".")
    value = create_app(load(), "worker").conf[name]
    if name == "task_routes":
        return [route for route in value if route]
    return value[part] if part else value


def test_a_persistent_rpc_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERIAC_RESULT_BACKEND", "rpc://")
    monkeypatch.setenv("CELERIAC_RESULT_PERSISTENT", "true")
    assert create_app(load(), "worker").conf.result_persistent is True


def test_a_prefix_for_results_in_a_redis_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERIAC_RESULT_BACKEND", "redis://results/1")
    monkeypatch.setenv("CELERIAC_RESULT_PREFIX", "shop")
    conf = create_app(load(), "worker").conf
    assert conf.result_backend_transport_options["global_keyprefix"] == "shop"


def test_no_knob_of_the_document_is_forgotten() -> None:
    text = (Path(__file__).parent.parent / "document" / "best-practices.md").read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    named = set(re.findall(r"celery_app\.conf\.(\w+) =", code))
    for block in re.findall(r"conf\.update\((.*?)\n\)", code, re.DOTALL):
        named |= set(re.findall(r"^\s+(\w+)=", block, re.MULTILINE))
    for pattern in (r"transport_options=\{(.*?)\n    \}", r"transport_options = \{(.*?)\n\}"):
        for block in re.findall(pattern, code, re.DOTALL):
            named |= set(re.findall(r'"(\w+)":', block))
    assert len(named) > 25
    assert named - {knob.partition(".")[0] for *_, knob, _ in KNOBS} - ELSEWHERE.keys() == set()
