"""Checking a submission's arguments against a catalogue entry."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any, NoReturn

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind
from kombu.utils.json import loads

from celeriac.catalog.entry import Entry, Schema
from celeriac.errors import Fault, InvalidError, pointer

MAX_FAULTS = 20
"""Faults reported of one submission at the most."""

THOROUGH_VALUES = 5_000
"""Of arguments with more values than this only the first fault is reported: the validator finds all or one."""


class Arguments:
    """What one task takes. Made once per entry: compiling its schemas, at first use, is the expensive part.

    Args:
        entry: the task's catalogue entry.
        at: JSON pointers of the positional and of the named arguments in the caller's input, for error messages.
    """

    def __init__(self, entry: Entry, at: tuple[str, str] = ("/args", "/kwargs")) -> None:
        self.entry = entry
        self._args_at, self._kwargs_at = at

    @cached_property
    def _named(self) -> Draft202012Validator:
        return _validator(self.entry.arguments)

    @cached_property
    def _rest(self) -> Draft202012Validator | None:
        return None if self.entry.rest is None else _validator(self.entry.rest)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return *args* and *kwargs* as the task is to receive them.

        Parameters annotated with a type that JSON can only write as text (datetime, UUID, …) become that type.

        Raises:
            InvalidError: with a fault for each argument that is wrong, missing or not the task's.
        """
        faults = list(islice(self._faults(args, kwargs), MAX_FAULTS))
        if faults:
            raise InvalidError.of(faults)
        return (
            [self._value(self._name_of(i), value, f"{self._args_at}/{i}") for i, value in enumerate(args)],
            {name: self._value(name, value, self._kwargs_at + pointer([name])) for name, value in kwargs.items()},
        )

    def _name_of(self, position: int) -> str | None:
        names = self.entry.positional
        return names[position] if position < len(names) else None

    def _faults(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Fault]:
        positional = self.entry.positional
        by_position = dict(zip(positional, args, strict=False))
        for name in kwargs:
            if name in by_position and name not in self.entry.positional_only:
                yield Fault(self._kwargs_at + pointer([name]), f"{name!r} is also given by position")
            elif name in self.entry.positional_only and not self._takes_any_name():
                yield Fault(self._kwargs_at + pointer([name]), f"{name!r} can only be given by position")
        yield from self._further(args)
        # A name that only a position can fill goes to **kwargs, as in a call.
        by_name = {
            n: v for n, v in kwargs.items() if not (self._takes_any_name() and n in self.entry.positional_only)
        }
        instance = {**by_name, **by_position}
        for error in _errors(self._named, instance):
            yield from self._explain(error, len(by_position))

    def _further(self, args: Sequence[Any]) -> Iterator[Fault]:
        taken = len(self.entry.positional)
        if self._rest is None:
            if len(args) > taken:
                yield Fault(
                    f"{self._args_at}/{taken}", f"takes {taken} positional arguments at the most, not {len(args)}"
                )
            return
        for i, value in enumerate(args[taken:], start=taken):
            for error in _errors(self._rest, value):
                yield Fault(f"{self._args_at}/{i}" + pointer(error.instance_path), _message(error))

    def _takes_any_name(self) -> bool:
        return self.entry.arguments.get("additionalProperties", True) is not False

    def _explain(self, error: ValidationError, positional: int) -> Iterator[Fault]:
        path = list(error.instance_path)
        if not path:
            yield from self._explain_whole(error)
            return
        first, *rest = path
        names = self.entry.positional[:positional]
        start = f"{self._args_at}/{names.index(str(first))}" if first in names else self._kwargs_at + pointer([first])
        yield Fault(start + pointer(rest), _message(error))

    def _explain_whole(self, error: ValidationError) -> Iterator[Fault]:
        """Name each parameter that an error about the arguments as a whole is about."""
        if isinstance(error.kind, ValidationErrorKind.Required):
            name = error.kind.property
            yield Fault(self._kwargs_at + pointer([name]), f"{name!r} is required")
        elif isinstance(error.kind, ValidationErrorKind.AdditionalProperties):
            known = ", ".join(self.entry.arguments["properties"])
            for name in error.kind.unexpected:
                says = f"{name!r:.100} is not a parameter: the task takes {known or 'no arguments'}"
                yield Fault(self._kwargs_at + pointer([name]), says)
        else:
            yield Fault(self._kwargs_at, _message(error))

    def _value(self, name: str | None, value: Any, path: str) -> Any:
        kind = self.entry.values.get(name or "")
        if kind is None or value is None or isinstance(value, bool):
            return value
        try:
            return loads(json.dumps({"__type__": kind, "__value__": str(value)}))
        except (ValueError, ArithmeticError) as error:
            raise InvalidError(f"{value!r:.100} is no {kind} in ISO 8601 or plain text: {error}", path) from error


def _validator(schema: Schema) -> Draft202012Validator:
    try:
        return Draft202012Validator(
            schema, retriever=_fetch_nothing, validate_formats=True, formats={"date-time": _is_datetime}
        )
    except ValidationError as error:
        reason = error.message.partition("\n")[0]
        raise InvalidError(f"the catalogue's schema of this task cannot be used: {reason}", "/name") from error


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"a schema may not refer to {uri}: the API does not call out")


def _is_datetime(text: str) -> bool:
    """Take what pydantic takes: an offset may be missing."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _errors(validator: Draft202012Validator, instance: Any) -> Iterable[ValidationError]:
    if validator.is_valid(instance):
        return ()
    if _has_at_most(instance, THOROUGH_VALUES):
        return validator.iter_errors(instance)
    try:
        validator.validate(instance)
    except ValidationError as error:
        return (error,)
    return ()


def _has_at_most(value: Any, count: int) -> bool:
    stack = [value]
    while stack and count >= 0:
        item = stack.pop()
        count -= 1
        if isinstance(item, list):
            stack += item[: count + 1]
        elif isinstance(item, dict):
            stack += islice(item.values(), count + 1)
    return count >= 0


def _message(error: ValidationError) -> str:
    """Return what is wrong, without the whole of a large value."""
    if len(error.message) <= 300:
        return error.message
    return f"does not satisfy {'/'.join(str(part) for part in error.schema_path):.200}"
