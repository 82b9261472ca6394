"""A FastAPI app of a user's own, with Celery in it: what it accepts, and what it does while Redis is slow or away."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from celeriac import keys
from celeriac.canvas import TASK
from celeriac.record import Record
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.states import State
from celeriac.testing import Server
from cookbook.web.main import create_app

from .conftest import Serve


def settings_for(server: Server) -> Settings:
    return Settings(redis=RedisSettings(url=server.url))


@pytest.fixture
def http(serve: Serve, client: redis.Redis, shared_server: Server) -> httpx.Client:
    return serve(create_app(settings_for(shared_server)))


def test_submit_and_status(http: httpx.Client) -> None:
    answer = http.post("/process", json={"key": "value"})
    assert answer.status_code == 202
    status = http.get(answer.json()["status_url"]).json()
    assert status == {
        "task_id": answer.json()["task_id"],
        "task": "cookbook.process_data",
        "state": "queued",
        "attempts": 1,
        "error": None,
    }


def test_an_unknown_run_is_404(http: httpx.Client) -> None:
    answer = http.get("/tasks/nobody")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "There is no run nobody"


def test_the_same_key_is_the_same_run(http: httpx.Client, client: redis.Redis) -> None:
    headers = {"Idempotency-Key": "order-7"}
    first, second = (http.post("/process", json={"n": 1}, headers=headers).json() for _ in range(2))
    assert first == second
    assert client.llen(keys.queue_list("default", 3)) == 1
    batches = {http.post("/process-batch", json=[{"n": 1}], headers=headers).json()["task_id"] for _ in range(2)}
    assert len(batches) == 1


def test_the_celery_app_is_a_dependency(http: httpx.Client, client: redis.Redis) -> None:
    assert http.get("/queues").json() == ["default", "io"]
    assert http.post("/send/cookbook.process_data", json=[{"n": 1}]).status_code == 202
    assert sum(client.llen(name) for name in keys.queue_lists("default")) == 1


def test_simple_work_stays_and_complex_work_goes(http: httpx.Client, client: redis.Redis) -> None:
    assert http.post("/simple", params={"message": "hi"}).json() == {"message": "logged"}
    assert client.dbsize() == 0
    task_id = http.post("/complex", json={"n": 1}).json()["task_id"]
    assert client.hget(keys.RUN + task_id, "task") == b"cookbook.patterns.steps.process_item"


def test_the_same_call_hands_over_what_is_a_celery_task(http: httpx.Client, client: redis.Redis) -> None:
    task_id = http.post("/handover", json={"n": 1}).json()["task_id"]
    record = Record.read(task_id, client.hgetall(keys.RUN + task_id))
    assert record is not None
    assert (record.task, record.state) == ("cookbook.patterns.steps.process_item", State.QUEUED)


def test_a_canvas_is_accepted_whole(http: httpx.Client, client: redis.Redis) -> None:
    answer = http.post("/process-chord", json=[{"n": 1}, {"n": 2}]).json()
    assert client.hget(keys.RUN + answer["task_id"], "task") == TASK.encode()
    status = http.get(answer["status_url"]).json()
    assert (status["state"], status["counts"], status["reason"]) == ("queued", {"waiting": 3}, None)
    assert [part["task"].rpartition(".")[2] for part in status["parts"]] == ["process_item"] * 2 + ["aggregate"]


def test_an_empty_batch_is_refused(http: httpx.Client) -> None:
    assert http.post("/process-batch", json=[]).status_code == 422


@pytest.fixture
def stalled(server: Server) -> Iterator[Server]:
    server.hang()
    yield server
    server.resume()


def test_a_stalled_redis_stalls_no_other_request(serve: Serve, stalled: Server) -> None:
    http = serve(create_app(settings_for(stalled)))

    def submit() -> tuple[httpx.Response, float]:
        began = time.monotonic()
        return http.post("/process", json={}), time.monotonic() - began

    longest = 0.0
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(submit) for _ in range(20)]
        while not all(call.done() for call in calls):
            before = time.monotonic()
            assert http.post("/simple", params={"message": "hi"}).status_code == 202
            longest = max(longest, time.monotonic() - before)
    for answer, seconds in (call.result() for call in calls):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert seconds < 5
    assert longest < 1


def test_after_the_stall_it_serves_again(serve: Serve, server: Server) -> None:
    http = serve(create_app(settings_for(server)))
    server.hang()
    assert http.post("/process", json={}).status_code == 503
    server.resume()
    assert http.post("/process", json={}).status_code == 202


def test_trap_1_3_delay_stops_the_event_loop(stalled: Server) -> None:
    """What plain Celery does in an ``async def``: the loop stands still for as long as Redis does."""
    stock = Celery("stock", broker=stalled.url, set_as_current=False)
    stock.conf.broker_transport_options = {"socket_timeout": 0.8, "max_retries": 0}

    async def measure() -> float:
        longest, last = 0.0, time.monotonic()

        async def tick() -> None:
            nonlocal longest, last
            while True:
                await asyncio.sleep(0.01)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()

        ticker = asyncio.create_task(tick())
        await asyncio.sleep(0.05)
        with pytest.raises(OperationalError):
            stock.send_task("t", retry=False)
        await asyncio.sleep(0.05)
        ticker.cancel()
        return longest

    assert asyncio.run(measure()) > 0.7
