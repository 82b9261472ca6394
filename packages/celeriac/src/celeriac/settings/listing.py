"""All settings as a list: for the reference page, and for telling what a process would really use, and why."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from celeriac.settings.model import PREFIX, Settings
from celeriac.settings.secrecy import mask

ENV_FILE = ".env"


class Entry(NamedTuple):
    """One setting as it is defined."""

    section: str
    variable: str
    kind: str
    default: str
    description: str


class Effective(NamedTuple):
    """One setting as it is in force. *source* is ``environment``, ``.env`` or ``default``."""

    variable: str
    value: str
    source: str


def entries() -> list[Entry]:
    """Return every setting there is, section by section."""
    return [
        Entry(section, variable, _kind(field), _text(field.default), field.description or "")
        for section, variable, field, _ in _walk(Settings.model_construct())
    ]


def effective(settings: Settings, environ: Mapping[str, str] = os.environ, folder: Path = Path()) -> list[Effective]:
    """Return every setting's value with where it came from. Secrets, also those inside URLs, are masked."""
    in_environment = {name.upper() for name in environ}
    in_file = {name.upper() for name in dotenv_values(folder / ENV_FILE)}
    lines = []
    for _, variable, _, value in _walk(settings):
        source = "environment" if variable in in_environment else ENV_FILE if variable in in_file else "default"
        lines.append(Effective(variable, mask(_text(value)), source))
    return lines


def _walk(settings: Settings) -> Iterator[tuple[str, str, FieldInfo, Any]]:
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if not isinstance(value, BaseModel):
            yield "", PREFIX + name.upper(), field, value
            continue
        for inner, inner_field in type(value).model_fields.items():
            yield name, f"{PREFIX}{name}_{inner}".upper(), inner_field, getattr(value, inner)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return str(value)  # asterisks
        case bool():
            return str(value).lower()
        case list() | tuple():
            return ",".join(map(str, value))
        case dict():
            return json.dumps(value) if value else ""
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _kind(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    choices = [argument for argument in get_args(annotation) if argument is not type(None)]
    if get_origin(annotation) is Literal:
        return ", ".join(map(str, choices))
    if len(choices) == 1 and get_origin(annotation) not in (list, dict):
        annotation = choices[0]
    names = {
        bool: "true, false",
        int: "whole number",
        float: "number",
        str: "text",
        SecretStr: "secret",
        list: "list",
        dict: "JSON object",
    }
    plain = get_origin(annotation) or annotation
    name = names.get(plain) or ", ".join(map(str, plain))
    bounds = []
    for rule in field.metadata:
        match rule:
            case Ge(ge=low):
                bounds.append(f"≥ {low:g}")
            case Gt(gt=low):
                bounds.append(f"> {low:g}")
            case Le(le=high):
                bounds.append(f"≤ {high:g}")
            case Lt(lt=high):
                bounds.append(f"< {high:g}")
            case _:
                pass
    return " ".join([name, *bounds])
