from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from celeriac.catalog import Entry, near_names
from celeriac.catalog.arguments import Arguments
from celeriac.errors import InvalidError

SIZE = {
    "type": "object",
    "properties": {"width": {"type": "integer", "minimum": 1}},
    "required": ["width"],
    "additionalProperties": False,
}


def arguments(**changes: Any) -> Arguments:
    entry: dict[str, Any] = {
        "name": "shop.report",
        "queue": "default",
        "positional": ["year", "size"],
        "arguments": {
            "type": "object",
            "properties": {"year": {"type": "integer"}, "size": {"$ref": "#/$defs/Size"}, "a/b~": {}},
            "required": ["year"],
            "additionalProperties": False,
            "$defs": {"Size": SIZE},
        },
    }
    return Arguments(Entry.model_validate(entry | changes))


def faults(checked: Arguments, args: list[Any], kwargs: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidError) as caught:
        checked.bind(args, kwargs)
    return {fault.path: fault.message for fault in caught.value.faults}


def test_right_arguments_pass_by_position_and_by_name() -> None:
    assert arguments().bind([2026, {"width": 1}], {}) == ([2026, {"width": 1}], {})
    assert arguments().bind([2026], {"size": {"width": 1}}) == ([2026], {"size": {"width": 1}})
    assert arguments().bind([], {"year": 2026}) == ([], {"year": 2026})


@pytest.mark.parametrize(
    ("args", "kwargs", "path", "says"),
    [
        ([], {}, "/kwargs/year", "'year' is required"),
        (["x"], {}, "/args/0", '"x" is not of type "integer"'),
        ([], {"year": "x"}, "/kwargs/year", '"x" is not of type "integer"'),
        ([1, {"width": 0}], {}, "/args/1/width", "0 is less than the minimum of 1"),
        ([1], {"size": {"width": 0}}, "/kwargs/size/width", "0 is less than the minimum of 1"),
        ([1], {"year": 2}, "/kwargs/year", "'year' is also given by position"),
        ([1, {"width": 1}, 3], {}, "/args/2", "takes 2 positional arguments at the most, not 3"),
        ([1], {"yaer": 2}, "/kwargs/yaer", "'yaer' is not a parameter: the task takes year, size, a/b~"),
    ],
)
def test_each_fault_is_named_with_its_path(args: list[Any], kwargs: dict[str, Any], path: str, says: str) -> None:
    assert faults(arguments(), args, kwargs)[path] == says


def test_all_faults_are_reported_and_no_more_than_twenty() -> None:
    assert set(faults(arguments(), [], {"size": {}, "x": 1})) == {"/kwargs/year", "/kwargs/size", "/kwargs/x"}
    assert len(faults(arguments(), [], {f"x{i}": 1 for i in range(100)})) == 20


def test_pointers_escape_what_json_pointer_reserves() -> None:
    assert "/kwargs/c~1d~0" in faults(arguments(), [1], {"c/d~": 1})


def test_further_positional_arguments_follow_their_schema() -> None:
    checked = arguments(rest={"type": "integer"}, positional=["year"])
    checked.bind([1, 2, 3], {})
    assert faults(checked, [1, 2, "x"], {}) == {"/args/2": '"x" is not of type "integer"'}


def test_positional_only_parameters_are_not_given_by_name() -> None:
    checked = arguments(positional_only=["year"])
    assert faults(checked, [], {"year": 1})["/kwargs/year"] == "'year' can only be given by position"


def test_text_becomes_the_value_the_task_is_annotated_with() -> None:
    checked = arguments(
        arguments={"type": "object", "properties": {}, "required": []},
        positional=["at"],
        values={"at": "datetime", "price": "decimal"},
    )
    args, kwargs = checked.bind(["2026-01-02T03:04:05Z"], {"price": 1.1})
    assert args == [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)]
    assert kwargs == {"price": Decimal("1.1")}
    assert checked.bind([None], {}) == ([None], {})
    assert "/args/0" in faults(checked, ["soon"], {})
    assert "/kwargs/price" in faults(checked, [None], {"price": "much"})


def test_a_large_value_is_not_repeated_in_the_message() -> None:
    assert len(faults(arguments(), ["x" * 10_000], {})["/args/0"]) < 300


def test_a_reference_to_elsewhere_is_not_fetched() -> None:
    checked = arguments(
        arguments={"type": "object", "properties": {"year": {"$ref": "http://127.0.0.1:9/schema"}}, "required": []}
    )
    with pytest.raises(InvalidError, match="the API does not call out"):
        checked.bind([1], {})


def test_times_of_models_are_checked_as_pydantic_would() -> None:
    schema = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}, "required": []}
    checked = arguments(arguments=schema, positional=["at"])
    checked.bind(["2026-01-01T00:00:00"], {})
    assert "/args/0" in faults(checked, ["tomorrow"], {})


def test_of_very_many_values_the_first_fault_is_told() -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    checked = arguments(
        arguments={"type": "object", "properties": {"x": schema}, "required": [], "additionalProperties": False},
        positional=["x"],
    )
    checked.bind([[1] * 300_000], {})
    assert list(faults(checked, [["a"] * 300_000], {})) == ["/args/0/0"]


def test_near_names_know_spelling_and_bare_names() -> None:
    names = ["cookbook.tasks.report", "cookbook.tasks.thumbnail", "shop.refund"]
    assert near_names("cookbook.tasks.reprt", names)[0] == "cookbook.tasks.report"
    assert near_names("thumbnail", names) == ("cookbook.tasks.thumbnail",)
    assert near_names("x" * 1_000_000, names) == ()
