"""Files that a task hands over: kept beside the result, or the run fails."""

import json

import pytest

from celeriac import keys
from celeriac.states import State
from celeriac.testing import Server, until

from .conftest import Send, StartWorker, record, result


@pytest.mark.parametrize("pool", ["prefork", "threads", "asyncio"])
def test_an_artifact_is_kept_beside_the_result(
    start_worker: StartWorker, send: Send, server: Server, pool: str
) -> None:
    start_worker(server, worker_pool=pool).wait_consuming()
    id = send("hand_over", 1000)
    until(lambda: result(server, id))
    described = {"a.bin": {"content_type": "application/octet-stream", "size": 1000}}
    assert json.loads(result(server, id))["result"] == {"done": True, "artifacts": described}
    with server.client() as client:
        assert client.hget(keys.ARTIFACT + id, "a.bin") == b"x" * 1000


def test_one_that_is_too_large_fails_the_run(start_worker: StartWorker, send: Send, server: Server) -> None:
    start_worker(server, result_artifact_max_bytes="2000").wait_consuming()
    id = send("hand_over", 2001)
    with server.client() as client:
        until(lambda: record(client, id).state is State.FAILED)
        error = record(client, id).error or {}
        assert error["type"] == "ArtifactError"
        assert "CELERIAC_RESULT_ARTIFACT_MAX_BYTES allows 2000" in error["message"]
        assert not client.exists(keys.ARTIFACT + id)
