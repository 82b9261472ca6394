"""JSON Schema of a function's parameters, from its signature and type hints."""

import inspect
import logging
import typing
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from celeriac.catalog.entry import Schema

logger = logging.getLogger(__name__)

VALUE_TYPES: dict[type, str] = {datetime: "datetime", date: "date", time: "time", Decimal: "decimal", UUID: "uuid"}
"""Types that JSON writes as text and kombu's type envelope carries as themselves, by kombu's name for them."""

_REF = "#/$defs/{model}"


def parameters(function: Callable[..., Any]) -> list[tuple[inspect.Parameter, Any]]:
    """Return each parameter of *function* with its resolved annotation (:data:`Any` where there is none).

    Decorators that keep ``__wrapped__`` are looked through, and a bound method's first parameter is left out.
    Annotations that cannot be resolved, such as names imported for type checking alone, count as Any.
    """
    hints = _hints(inspect.unwrap(function))
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name, parameter.annotation)
        found.append((parameter, Any if hint is parameter.empty or isinstance(hint, str) else hint))
    return found


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, TypeError) as error:
        logger.info("the annotations of %r cannot be resolved (%s): its arguments are not checked", function, error)
        return {}


def schemas(annotations: dict[str, Any]) -> tuple[dict[str, Schema], Schema]:
    """Return the JSON Schema per name, and the definitions they share (``$defs``)."""
    adapters = {name: adapter for name, hint in annotations.items() if (adapter := _adapter(name, hint))}
    found, shared = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in adapters.items()], ref_template=_REF
    )
    return {name: dict(found.get((name, "validation"), {})) for name in annotations}, shared.get("$defs", {})


def _adapter(name: str, hint: Any) -> TypeAdapter[Any] | None:
    """Return what describes *hint*; None for a type that JSON Schema cannot describe, which takes anything."""
    if hint is Any:
        return None
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        adapter.json_schema(ref_template=_REF)
    except Exception as error:  # third-party types bring their own schema code, which may raise anything
        logger.info("parameter %r: %r has no JSON Schema (%s): any value is taken", name, hint, error)
        return None
    return adapter


def with_default(schema: Schema, parameter: inspect.Parameter) -> Schema:
    """Return *schema* with the parameter's default, where JSON can say it.

    ``x: int = None`` is written often and means that None is taken, so null becomes valid.
    """
    if parameter.default is parameter.empty:
        return schema
    try:
        default = to_jsonable_python(parameter.default)
    except PydanticSerializationError:
        return schema
    if default is None and schema and not _takes_null(schema):
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "default": default}


def _takes_null(schema: Schema) -> bool:
    return schema.get("type") == "null" or any(_takes_null(option) for option in schema.get("anyOf", ()))


def value_type(hint: Any) -> str | None:
    """Return kombu's name of the type if *hint* is one of :data:`VALUE_TYPES`, alone or with None."""
    options = [option for option in _options(hint) if option is not NoneType]
    return VALUE_TYPES.get(options[0]) if len(options) == 1 else None


def _options(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) is typing.Annotated:
        yield from _options(typing.get_args(hint)[0])
    elif typing.get_origin(hint) in (typing.Union, UnionType):
        for option in typing.get_args(hint):
            yield from _options(option)
    else:
        yield hint
