"""docs/api.md names every operation and every kind of problem."""

import re
from pathlib import Path

from celeriac.settings import Settings
from celeriac_api.app import create_app

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_every_path_is_on_the_page() -> None:
    for path in create_app(Settings()).openapi()["paths"]:
        last = path.rsplit("/", 1)[1]
        assert f"{path}`" in PAGE or f"…/{last}`" in PAGE, path


def test_every_status_of_an_error_is_on_the_page() -> None:
    stated = {int(status) for status in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)}
    described = {
        int(status)
        for operations in create_app(Settings()).openapi()["paths"].values()
        for operation in operations.values()
        for status in operation["responses"]
        if int(status) >= 400
    }
    assert described <= stated
