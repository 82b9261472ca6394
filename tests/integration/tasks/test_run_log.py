"""One schema for all lines of a run; what a caller sent, and what a task returned, are not among them."""

import json

import pytest
import structlog

from celeriac.client import Client
from celeriac.testing import Platform
from cookbook.patterns.basic import process_data
from cookbook.patterns.logged import logged

SECRET = "4111-1111-1111-1111"


@pytest.mark.parametrize("pool", ["prefork", "solo", "threads", "asyncio"])
def test_lines_name_their_run_and_show_no_argument(fresh: Platform, pool: str) -> None:
    worker = fresh.worker(worker_pool=pool)
    good, bad = fresh.send(logged.s({"card": SECRET})), fresh.send(logged.s({"card": SECRET, "fail": True}))
    returning = fresh.send(process_data.s({"card": SECRET}))
    for run, state in ((good, "succeeded"), (bad, "failed"), (returning, "succeeded")):
        assert fresh.ended(run).state == state
    worker.end()
    lines = [json.loads(line) for line in worker.log.splitlines() if line.startswith("{")]
    assert all({"timestamp", "level", "event", "logger", "service"} <= line.keys() for line in lines)
    own = [line for line in lines if line.get("task_id") == good]
    assert {"processing", "processed"} <= {line["event"] for line in own}
    assert {line["task_name"] for line in own} == {logged.name}
    assert any(line["level"] == "error" and line.get("task_id") == bad for line in lines)
    assert SECRET not in worker.log


def test_they_are_shown_when_allowed(fresh: Platform) -> None:
    worker = fresh.worker(log_arguments="true")
    fresh.ended(fresh.send(process_data.s({"card": SECRET})))
    worker.end()
    assert SECRET in worker.log


async def test_a_line_carries_the_request_that_submitted_the_run(fresh: Platform) -> None:
    worker = fresh.worker()
    client = Client(fresh.settings, fresh.app)
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        run = await client.submit(logged.s({}))
    await client.aclose()
    fresh.ended(run)
    worker.end()
    lines = [json.loads(line) for line in worker.log.splitlines() if line.startswith("{")]
    assert {line.get("request_id") for line in lines if line["event"] == "processing"} == {"r-1"}
