"""The API does what its own description says, to requests that are made from it."""

import json
import time
from typing import Any

import httpx
import pytest
import redis
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from celeriac import keys
from celeriac.settings import Settings
from celeriac_api.app import create_app

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


SCHEMA = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
FOUND: list[Any] = list(SCHEMA.get_all_operations())
OPERATIONS = [found.ok() for found in FOUND]
CASES = [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS] + [
    (operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if operation.body or operation.query
]
"""A path segment alone can be any text, so there is nothing wrong to send."""


@pytest.fixture
def base_url(http: httpx.Client, client: redis.Redis) -> str:
    """The API, with a worker about so that its health is good."""
    client.zadd(keys.WORKERS, {"w": time.time() * 1000 + 600_000})
    client.set(keys.WORKER + "w", json.dumps({"group": "default"}))
    return str(http.base_url)


@pytest.mark.parametrize(("operation", "mode"), CASES, ids=lambda part: getattr(part, "label", part))
def test_answers_are_as_described(operation: Any, mode: GenerationMode, base_url: str) -> None:
    @settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: Any) -> None:
        case.validate_response(case.call(base_url=base_url, timeout=20), checks=CHECKS)

    answers()


def test_every_error_is_problem_json_and_every_operation_is_explained(http: httpx.Client) -> None:
    description = http.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            for status, response in operation["responses"].items():
                kinds = list(response.get("content", {}))
                assert int(status) < 400 or kinds == ["application/problem+json"], (method, path, status)


def test_the_examples_are_valid(http: httpx.Client) -> None:
    description = http.get("/openapi.json").json()
    checked = 0
    for name, found in description["components"]["schemas"].items():
        for example in found.get("examples", []):
            schema = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
            Draft202012Validator(schema).validate(example)
            checked += 1
    assert checked >= 3
