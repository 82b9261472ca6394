from typing import Any

import pytest

from celeriac.artifacts import MAX_ARTIFACTS, Artifact, ArtifactError, split
from celeriac.settings.task import ResultSettings

SETTINGS = ResultSettings(artifact_max_bytes=2048)


def handed(**artifacts: Any) -> dict[str, Any]:
    return {"total": 1, "artifacts": artifacts}


def test_bytes_are_taken_out_and_described() -> None:
    result = {"total": 1, "artifacts": {"chart.png": {"content_type": "image/png", "data": b"\x89PNG"}}}
    shown, artifacts = split(result, SETTINGS)
    assert shown == {"total": 1, "artifacts": {"chart.png": {"content_type": "image/png", "size": 4}}}
    assert artifacts == [Artifact("chart.png", "image/png", b"\x89PNG")]
    assert result["artifacts"]["chart.png"]["data"] == b"\x89PNG"  # type: ignore[index]


@pytest.mark.parametrize(
    "result",
    [
        None,
        3,
        [1],
        {"total": 1},
        {"artifacts": []},
        {"artifacts": {}},
        handed(a="x"),
        handed(a={"content_type": "text/plain", "data": "text"}),
        handed(a={"content_type": "text/plain", "data": b"x", "more": 1}),
        handed(a={"content_type": "text/plain", "data": b"x"}, b=1),
    ],
)
def test_a_result_of_another_shape_is_left_alone(result: Any) -> None:
    shown, artifacts = split(result, SETTINGS)
    assert shown is result
    assert artifacts == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("../x", {"content_type": "text/plain", "data": b""}, "artifact name"),
        ("a:type", {"content_type": "text/plain", "data": b""}, "artifact name"),
        ("", {"content_type": "text/plain", "data": b""}, "artifact name"),
        ("a", {"content_type": "text/plain\r\nX: y", "data": b""}, "no content type"),
        ("a", {"content_type": None, "data": b""}, "no content type"),
        ("a", {"content_type": "text/plain", "data": b"x" * 2049}, "has 2049 bytes; CELERIAC_RESULT_ARTIFACT_MAX"),
    ],
)
def test_what_cannot_be_kept_or_served_is_refused(name: str, value: dict[str, Any], says: str) -> None:
    with pytest.raises(ArtifactError, match=says):
        split({"artifacts": {name: value}}, SETTINGS)


def test_too_many_are_refused() -> None:
    many = {f"a{i}": {"content_type": "text/plain", "data": b""} for i in range(MAX_ARTIFACTS + 1)}
    with pytest.raises(ArtifactError, match="17 artifacts"):
        split({"artifacts": many}, SETTINGS)
