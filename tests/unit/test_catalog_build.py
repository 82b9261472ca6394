import enum
import functools
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from celery import Celery, Task
from kombu import Queue
from pydantic import BaseModel, Field

from celeriac.catalog.build import entries, entry
from celeriac.catalog.entry import Entry
from celeriac.errors import ConfigurationError


class Size(BaseModel):
    width: int = Field(gt=0)
    height: int


class Colour(enum.Enum):
    RED = "red"


@pytest.fixture
def app() -> Celery:
    app = Celery("test", set_as_current=False, broker="memory://")
    app.conf.update(
        task_queues=[Queue("default"), Queue("io")], task_default_queue="default", task_create_missing_queues=False
    )
    return app


def register(app: Celery, function: Callable[..., Any], name: str, **options: Any) -> "Task[..., Any]":
    decorate: Any = app.task(name=name, shared=False, **options)  # shared, the default, means in every app there is
    decorate(function)
    app.finalize()
    return app.tasks[name]


def described(app: Celery, function: Callable[..., Any], **options: Any) -> Entry:
    return entry(app, register(app, function, "shop.task", **options))


def test_signature_hints_and_defaults_become_a_schema(app: Celery) -> None:
    def report(year: int, country: str = "DE", *, limit: Annotated[int, Field(le=10)] = 5) -> None:
        """Add up the year."""

    found = described(app, report)
    assert found.description == "Add up the year."
    assert found.positional == ["year", "country"]
    assert found.rest is None
    assert found.arguments["required"] == ["year"]
    assert found.arguments["additionalProperties"] is False
    assert found.arguments["properties"] == {
        "year": {"type": "integer"},
        "country": {"type": "string", "default": "DE"},
        "limit": {"type": "integer", "maximum": 10, "default": 5},
    }


def test_a_bound_task_takes_no_self(app: Celery) -> None:
    def report(self: "Task[Any, Any]", year: int) -> None:
        pass

    assert described(app, report, bind=True).positional == ["year"]
    assert entry(app, register(app, report, "shop.again", bind=True, autoretry_for=(OSError,))).positional == ["year"]


def test_pydantic_models_are_described_with_shared_definitions(app: Celery) -> None:
    def crop(image: str, size: Size, other: Size | None = None) -> None:
        pass

    found = described(app, crop, pydantic=True)
    assert found.arguments["properties"]["size"] == {"$ref": "#/$defs/Size"}
    assert found.arguments["$defs"]["Size"]["properties"]["width"]["exclusiveMinimum"] == 0


def test_a_bound_pydantic_task_is_described_too(app: Celery) -> None:
    def crop(self: "Task[Any, Any]", size: Size) -> None:
        pass

    assert described(app, crop, bind=True, pydantic=True).arguments["required"] == ["size"]


def test_star_arguments_are_described_by_their_hints(app: Celery) -> None:
    def total(first: int, *more: int, **named: str) -> None:
        pass

    found = described(app, total)
    assert found.rest == {"type": "integer"}
    assert found.arguments["additionalProperties"] == {"type": "string"}
    assert list(found.arguments["properties"]) == ["first"]


def test_untyped_parameters_take_anything(app: Celery) -> None:
    def legacy(x, y=None, *args, **kwargs):  # type: ignore[no-untyped-def]
        pass

    found = described(app, legacy)
    assert found.arguments["properties"] == {"x": {}, "y": {"default": None}}
    assert (found.rest, found.arguments["additionalProperties"]) == ({}, True)


def test_a_default_of_none_makes_null_valid(app: Celery) -> None:
    def legacy(x: int = None) -> None:  # type: ignore[assignment] # noqa: RUF013 often written
        pass

    assert described(app, legacy).arguments["properties"]["x"] == {
        "anyOf": [{"type": "integer"}, {"type": "null"}],
        "default": None,
    }


def test_types_without_a_schema_and_unresolvable_names_take_anything(app: Celery) -> None:
    class Frame:
        pass

    def analyse(frame: Frame, missing: "Nowhere", colour: Colour) -> None:  # type: ignore[name-defined] # noqa: F821
        pass

    def plot(frame: Frame, colour: Colour = Colour.RED) -> None:
        pass

    assert described(app, analyse).arguments["properties"]["missing"] == {}
    found = entry(app, register(app, plot, "shop.plot")).arguments
    assert found["properties"]["frame"] == {}
    assert found["$defs"]["Colour"]["enum"] == ["red"]
    assert found["properties"]["colour"]["default"] == "red"


def test_parameters_that_json_writes_as_text_are_named(app: Celery) -> None:
    def plan(at: datetime, price: Decimal | None, key: Annotated[UUID, "x"], either: datetime | int) -> None:
        pass

    assert described(app, plan).values == {"at": "datetime", "price": "decimal", "key": "uuid"}


def test_decorators_that_keep_wrapped_are_looked_through(app: Celery) -> None:
    def logged(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> None:
            function(*args, **kwargs)

        return wrapper

    @logged
    def report(year: int) -> None:
        pass

    assert described(app, report).positional == ["year"]


@pytest.mark.filterwarnings("ignore::celery.exceptions.CDeprecationWarning")  # the attribute 'queue', much used
def test_queue_and_options_are_what_celery_would_use(app: Celery) -> None:
    app.conf.task_routes = {"shop.*": {"queue": "io", "priority": 6}}

    def fetch() -> None:
        pass

    found = described(app, fetch, time_limit=10, rate_limit="5/s")
    assert (found.queue, found.priority) == ("io", 6)
    assert found.options["time_limit"] == 10
    assert found.options["rate_limit"] == "5/s"
    own = entry(app, register(app, fetch, "shop.own", queue="default", priority=0))
    assert (own.queue, own.priority) == ("default", 0)


def test_an_unknown_queue_is_refused_with_its_setting(app: Celery) -> None:
    app.conf.task_routes = {"shop.*": "nowhere"}

    def fetch() -> None:
        pass

    with pytest.raises(ConfigurationError, match=r"shop\.task .*'nowhere'.*CELERIAC_TASK_QUEUES"):
        described(app, fetch)


def test_celerys_own_tasks_and_ours_are_not_offered(app: Celery) -> None:
    def one() -> None:
        pass

    register(app, one, "shop.one")
    register(app, one, "celeriac.one")
    names = [found.name for found in entries(app)]
    assert "shop.one" in names
    assert [name for name in names if name.startswith(("celery.", "celeriac."))] == []


def test_an_entry_too_large_to_keep_is_refused(app: Celery) -> None:
    def report() -> None:
        pass

    report.__doc__ = "x" * 300_000
    with pytest.raises(ConfigurationError, match=r"shop\.task: its catalogue entry is over"):
        described(app, report)
