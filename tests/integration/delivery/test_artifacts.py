"""Files that a task returns end up beside its result, whatever the pool."""

import json
from typing import Any

import pytest
import redis

from celeriac import keys
from celeriac.states import State
from celeriac.testing import until

from .conftest import StartWorker, Submit, ended, record


@pytest.mark.parametrize("pool", ["solo", "prefork", "threads"])
def test_a_file_leaves_the_result_for_a_key_of_its_own(
    pool: str, client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker(pool)
    run = send("draw", 500_000)
    assert ended(client, run).state is State.SUCCEEDED
    text: Any = client.get(keys.RESULT + run)
    expected = {"size": 500_000, "artifacts": {"chart.png": {"content_type": "image/png", "size": 500_000}}}
    assert json.loads(text)["result"] == expected
    assert client.hget(keys.ARTIFACT + run, "chart.png") == b"\xff" * 500_000
    assert 0 < int(client.ttl(keys.ARTIFACT + run)) <= 86_400


def test_a_file_over_the_limit_fails_the_run_and_says_so(
    client: redis.Redis, start_worker: StartWorker, send: Submit
) -> None:
    start_worker("prefork", environment={"CELERIAC_RESULT_ARTIFACT_MAX_BYTES": "2048"})
    run = send("draw", 2049)
    until(lambda: record(client, run).finished is not None)
    found = record(client, run)
    assert found.state is State.FAILED
    assert found.error is not None
    assert found.error["type"].endswith("ArtifactError")
    assert "2049 bytes; CELERIAC_RESULT_ARTIFACT_MAX_BYTES allows 2048" in found.error["message"]
    assert not client.exists(keys.ARTIFACT + run)
