"""Fails when an upgrade of Celery, kombu or billiard moves what ``celeriac.task.upstream`` reaches into."""

import signal
from contextvars import copy_context

import pytest
from billiard import pool as billiard_pool
from celery import Celery
from celery._state import _task_stack, get_current_task  # type: ignore[attr-defined]
from celery.app.base import pydantic_wrapper  # type: ignore[attr-defined]
from celery.utils.threads import LocalStack
from kombu.asynchronous import Hub
from kombu.message import Message
from pydantic import BaseModel

from celeriac.errors import ConfigurationError
from celeriac.task import upstream
from celeriac.task.identity import bearer, identity


@pytest.fixture
def app() -> Celery:
    return Celery("upstream", task_cls="celeriac.task:Task", set_as_current=False)


def test_stacks_go_by_the_bearer(app: Celery) -> None:
    @app.task
    def task() -> None: ...

    seen: list[tuple[object, object]] = []

    def look() -> None:
        seen.append((task.request.id, get_current_task()))

    def inside() -> None:
        bearer.set("a run")
        task.push_request(id="1")
        _task_stack.push(task)
        look()
        copy_context().run(another)
        look()
        _task_stack.pop()
        task.pop_request()

    def another() -> None:
        bearer.set("another run")
        look()

    copy_context().run(inside)
    look()
    assert seen == [("1", task), (None, None), ("1", task), (None, None)]


def test_fast_locals_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USE_FAST_LOCALS", "1")
    with pytest.raises(ConfigurationError, match="unset it"):
        upstream.identify_by(identity, LocalStack())


def test_only_acknowledgements_are_run() -> None:
    ran = []

    class Noted(Message):
        def ack_log_error(self, *_: object) -> None:
            ran.append("ack")

    hub = Hub()
    try:
        hub.call_soon(Noted().ack_log_error)
        hub.call_soon(lambda: ran.append("other"))
        upstream.run_ready_acknowledgements(hub)
        assert ran == ["ack"]
    finally:
        hub.close()


def test_prefork_children_are_known_by_their_signal_handler() -> None:
    assert not upstream.signals_soft_limit()
    before = signal.signal(billiard_pool.SIG_SOFT_TIMEOUT, billiard_pool.soft_timeout_sighandler)
    try:
        assert upstream.signals_soft_limit()
    finally:
        signal.signal(billiard_pool.SIG_SOFT_TIMEOUT, before)


class Model(BaseModel):
    x: int


def test_pydantic_options_are_found(app: Celery) -> None:
    async def task(a: int) -> Model:
        return Model(x=a)

    wrapped = pydantic_wrapper(app, task, "task", dump_kwargs={"by_alias": True})
    assert upstream.pydantic_dump_options(wrapped) == {"mode": "json", "by_alias": True}
    assert upstream.pydantic_dump_options(task) is None
