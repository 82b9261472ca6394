"""FastAPI's BackgroundTasks: the six endpoints, and what the ones in many a tutorial do instead."""

import logging
import time
from collections.abc import Callable
from typing import Annotated

import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Response
from starlette.background import BackgroundTask

from cookbook.web import background

from .conftest import Serve


@pytest.fixture
def http(serve: Serve, caplog: pytest.LogCaptureFixture) -> httpx.Client:
    caplog.set_level(logging.INFO)
    app = FastAPI()
    app.include_router(background.router)
    return serve(app)


def wait_for(caplog: pytest.LogCaptureFixture, *messages: str) -> list[str]:
    deadline = time.monotonic() + 10
    while not set(messages) <= {record.getMessage() for record in caplog.records}:
        assert time.monotonic() < deadline, caplog.text
        time.sleep(0.01)
    return [record.getMessage() for record in caplog.records if record.name == background.__name__]


def test_basic(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    assert http.post("/background/notifications/ann@example.com").status_code == 202
    wait_for(caplog, "action: notification to ann@example.com")


def test_with_parameters(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    http.post("/background/notifications/ann@example.com/text", params={"text": "hello"}).raise_for_status()
    wait_for(caplog, "notified ann@example.com: hello")


def test_async(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    http.post("/background/emails/ann@example.com", json={"subject": "Hi", "body": "…"}).raise_for_status()
    wait_for(caplog, "mailed ann@example.com: Hi")


def test_several_run_in_order(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    http.post("/background/users/7").raise_for_status()
    messages = wait_for(caplog, "counted: user 7 processed")
    assert messages == ["action: process user 7", "notified 7@example.com: processed", "counted: user 7 processed"]


def test_from_dependency(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    http.post("/background/search", params={"term": "shoes", "q": "red"}).raise_for_status()
    wait_for(caplog, "action: query: red", "action: search: shoes")


def test_an_error_is_logged_and_ends_nothing_else(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    http.post("/background/process", params={"data": "error"}).raise_for_status()
    wait_for(caplog, "counted: processing ended", "background function process failed")
    http.post("/background/process", params={"data": "seven"}).raise_for_status()
    wait_for(caplog, "processed: seven")


ran: list[str] = []


def get_background_tasks() -> BackgroundTasks:
    return BackgroundTasks()


def add_to_fresh(tasks: Annotated[BackgroundTasks, Depends(get_background_tasks)]) -> None:
    tasks.add_task(ran.append, "planned")


def add_after_one_that_raises(tasks: BackgroundTasks) -> None:
    tasks.add_task(int, "no number")
    tasks.add_task(ran.append, "planned")


def add_and_refuse(tasks: BackgroundTasks) -> None:
    tasks.add_task(ran.append, "planned")
    raise HTTPException(409)


def add_and_answer_by_hand(tasks: BackgroundTasks) -> Response:
    tasks.add_task(ran.append, "planned")
    return Response(background=BackgroundTask(ran.append, "other"))


@pytest.mark.parametrize(
    ("endpoint", "status", "left"),
    [
        (add_to_fresh, 200, []),
        (add_after_one_that_raises, 200, []),
        (add_and_refuse, 409, []),
        (add_and_answer_by_hand, 200, ["other"]),
    ],
)
def test_trap_1_8_planned_work_that_never_runs(
    serve: Serve, endpoint: Callable[..., object], status: int, left: list[str]
) -> None:
    """What plain FastAPI does: the reason why the endpoints above are written as they are."""
    ran.clear()
    app = FastAPI()
    app.post("/work", response_model=None)(endpoint)

    def finish(tasks: BackgroundTasks) -> None:
        tasks.add_task(ran.append, "end")

    app.post("/end")(finish)
    http = serve(app)
    assert http.post("/work").status_code == status
    http.post("/end").raise_for_status()
    deadline = time.monotonic() + 10
    while "end" not in ran:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert ran == [*left, "end"]
