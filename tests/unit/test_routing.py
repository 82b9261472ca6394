"""Where a task goes: exact name, glob, regular expression, router function; the operator's word goes first."""

import pytest
from celery import Celery

from celeriac import packages
from celeriac.app import create_app
from celeriac.settings import Settings
from celeriac.settings.task import TaskSettings


def router_for(**task: object) -> Celery:
    settings = Settings(task=TaskSettings.model_validate({"queues": ["default", "io", "slow"], **task}))
    app = create_app(settings, "sender")
    packages.load(app, TaskSettings(packages=["cookbook.patterns"], entry_points=False))
    return app


def queue_of(app: Celery, name: str, *args: object) -> str:
    return str(app.amqp.router.route({}, name, args, {})["queue"].name)


@pytest.mark.parametrize(
    ("name", "args", "queue"),
    [
        ("cookbook.routing.charge", (1,), "io"),
        ("cookbook.routing.mail.welcome", ("ann",), "io"),
        ("cookbook.routing.mail.anything", (), "io"),
        ("cookbook.routing.export_csv", (1,), "io"),
        ("cookbook.routing.export_xlsx", (1,), "io"),
        ("cookbook.routing.export_pdf", (1,), "default"),
        ("cookbook.routing.resize", (4000,), "io"),
        ("cookbook.routing.resize", (100,), "default"),
        ("cookbook.process_data", ({},), "default"),
    ],
)
def test_a_task_package_says_where_its_tasks_go(name: str, args: tuple[object, ...], queue: str) -> None:
    assert queue_of(router_for(), name, *args) == queue


@pytest.mark.parametrize("pattern", ["cookbook.routing.charge", "cookbook.routing.*", "/.*charge$/"])
def test_the_operators_routes_go_first(pattern: str) -> None:
    app = router_for(routes={pattern: "slow"})
    assert queue_of(app, "cookbook.routing.charge", 1) == "slow"
    assert queue_of(app, "cookbook.process_data", {}) == "default"


def to_slow(name: str, *_: object, **__: object) -> dict[str, str] | None:
    return {"queue": "slow"} if name.endswith("process_data") else None


def test_a_router_function_is_named_in_the_settings() -> None:
    app = router_for(routers=[f"{to_slow.__module__}:to_slow"])
    assert queue_of(app, "cookbook.process_data", {}) == "slow"
    assert queue_of(app, "cookbook.routing.charge", 1) == "io"
