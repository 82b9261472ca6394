"""Long polls: one subscription for all who wait, nothing missed when it breaks, a bound on how many wait."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest
import redis

from celeriac import keys
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import Server, until

StartApi = Callable[..., Any]


def queued(client: redis.Redis, id: str) -> str:
    submit(client, Submission(task="shop.report", queue="default", priority=3, id=id), DeliverySettings())
    return id


def finish(client: redis.Redis, id: str) -> None:
    """End a run as the worker's script does: record, result and announcement in one step."""
    with client.pipeline() as pipeline:
        pipeline.hset(keys.RUN + id, mapping={"state": "succeeded", "finished": round(time.time() * 1000)})
        pipeline.set(keys.RESULT + id, json.dumps({"status": "SUCCESS", "result": 7}))
        pipeline.publish(keys.RUN + id, "succeeded")
        pipeline.execute()


def waiters(http: httpx.Client) -> int:
    lines = http.get("/metrics").text.splitlines()
    return int(float(next(line for line in lines if line.startswith("celeriac_api_waiters ")).split()[1]))


def as_many_wait(http: httpx.Client, count: int) -> bool:
    return waiters(http) == count


def subscriptions(client: redis.Redis) -> int:
    found: Any = client.pubsub_channels(keys.RUN + "*")
    return len(found)


class Poll:
    """A long poll under way."""

    def __init__(self, url: str, id: str, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._answer: Future[httpx.Response] = self._pool.submit(
            httpx.get, f"{url}/v1/tasks/{id}", params={"wait": seconds}, timeout=seconds + 20
        )
        self.began = time.monotonic()

    def answer(self) -> tuple[httpx.Response, float]:
        """The answer, and the seconds from the question to it."""
        answer = self._answer.result(60)
        self._pool.shutdown()
        return answer, time.monotonic() - self.began


def test_the_answer_comes_with_the_end(http: httpx.Client, client: redis.Redis, shared_api: Any) -> None:
    poll = Poll(shared_api.url, queued(client, "run-1"), 30)
    until(lambda: subscriptions(client) == 1)
    finish(client, "run-1")
    answer, seconds = poll.answer()
    assert answer.json()["state"] == "succeeded"
    assert answer.json()["result"] == 7
    assert seconds < 15
    until(lambda: subscriptions(client) == 0)
    until(lambda: waiters(http) == 0)


def test_without_an_end_the_state_is_told_when_the_wait_is_over(http: httpx.Client, client: redis.Redis) -> None:
    queued(client, "run-1")
    began = time.monotonic()
    answer = http.get("/v1/tasks/run-1?wait=0.3")
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    assert 0.3 <= time.monotonic() - began < 10


def test_a_finished_run_is_told_at_once(http: httpx.Client, client: redis.Redis) -> None:
    finish(client, queued(client, "run-1"))
    began = time.monotonic()
    assert http.get("/v1/tasks/run-1?wait=30").json()["state"] == "succeeded"
    assert time.monotonic() - began < 10


def test_progress_does_not_end_the_wait(http: httpx.Client, client: redis.Redis, shared_api: Any) -> None:
    poll = Poll(shared_api.url, queued(client, "run-1"), 30)
    until(lambda: subscriptions(client) == 1)
    client.hset(keys.RUN + "run-1", "progress", json.dumps({"state": "PROGRESS", "meta": {"done": 1}}))
    client.publish(keys.RUN + "run-1", "running")
    assert waiters(http) == 1
    finish(client, "run-1")
    assert poll.answer()[0].json()["progress"] == {"done": 1}


def test_a_caller_that_hangs_up_is_not_waited_for(http: httpx.Client, client: redis.Redis, shared_api: Any) -> None:
    queued(client, "run-1")
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{shared_api.url}/v1/tasks/run-1?wait=30", timeout=0.5)
    until(lambda: waiters(http) == 0, 10)
    until(lambda: subscriptions(client) == 0, 10)


def test_what_ends_while_the_subscription_is_cut_is_read_again(
    http: httpx.Client, client: redis.Redis, shared_api: Any
) -> None:
    poll = Poll(shared_api.url, queued(client, "run-1"), 30)
    until(lambda: subscriptions(client) == 1)
    client.client_kill_filter(_type="pubsub")
    client.hset(keys.RUN + "run-1", "state", "succeeded")
    answer, seconds = poll.answer()
    assert answer.json()["state"] == "succeeded"
    assert seconds < 20


def test_a_wait_outlives_a_restart_of_redis(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url)
    with server.client() as client:
        queued(client, "run-1")
        poll = Poll(api.url, "run-1", 40)
        until(lambda: subscriptions(client) == 1)
    server.stop()
    server.start()
    with server.client() as client:
        finish(client, "run-1")
    answer, seconds = poll.answer()
    assert answer.json()["state"] == "succeeded"
    assert seconds < 30


def test_a_wait_notices_a_hung_subscription(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url)
    with server.client() as client:
        queued(client, "run-1")
        poll = Poll(api.url, "run-1", 40)
        until(lambda: subscriptions(client) == 1)
        server.hang()
        try:
            until(lambda: api.event("the subscription is lost"), 30)
        finally:
            server.resume()
        finish(client, "run-1")
    answer, _ = poll.answer()
    assert answer.json()["state"] == "succeeded"


def test_a_wait_that_ends_in_an_outage_is_a_503(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url)
    with server.client() as client:
        queued(client, "run-1")
        poll = Poll(api.url, "run-1", 2)
        until(lambda: subscriptions(client) == 1)
    server.kill()
    answer, seconds = poll.answer()
    assert answer.status_code == 503
    assert seconds < 2 + 5


def test_more_than_may_wait_are_told_to_come_back(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url, api_max_waiters="2")
    with server.client() as client, api.client() as http:
        polls = [Poll(api.url, queued(client, f"run-{i}"), 30) for i in range(2)]
        until(lambda: waiters(http) == 2)
        queued(client, "run-2")
        refused = http.get("/v1/tasks/run-2?wait=30")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert http.get("/v1/tasks/run-2").status_code == 200
        for i, poll in enumerate(polls):
            finish(client, f"run-{i}")
            assert poll.answer()[0].json()["state"] == "succeeded"


async def test_a_thousand_wait_on_one_connection(server: Server, start_api: StartApi) -> None:
    api = start_api(server.url, api_max_wait_seconds="120")
    batches, size = 10, 100
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    asked: list[asyncio.Task[httpx.Response]] = []

    with server.client() as client, api.client() as http:
        runs = [queued(client, f"run-{i}") for i in range(batches * size)]
        async with httpx.AsyncClient(base_url=api.url, timeout=150, limits=limits) as many:
            for batch in range(batches):
                of_batch = runs[batch * size : (batch + 1) * size]
                asked += [asyncio.create_task(many.get(f"/v1/tasks/{id}?wait=120")) for id in of_batch]
                await asyncio.to_thread(until, partial(as_many_wait, http, len(asked)), 30)
            assert len(client.client_list(_type="pubsub")) == 1
            assert len(client.client_list()) < 60
            assert http.get("/v1/tasks/run-0").status_code == 200
            for id in runs:
                finish(client, id)
            answers = await asyncio.gather(*asked)
        assert {answer.json()["state"] for answer in answers} == {"succeeded"}
        until(lambda: waiters(http) == 0)
