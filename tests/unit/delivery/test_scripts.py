"""A script carries what it uses of the prelude, and no more."""

import re

import pytest

from celeriac.scripts import script

NAMES = ["reserve", "start", "finish", "retry", "requeue", "renew", "progress", "conclude", "submit", "reclaim"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_used_is_there_before_it_is_used(name: str) -> None:
    text = re.sub(r"--.*", "", script(name).text)
    defined = {found[1]: found.start() for found in re.finditer(r"^local function (\w+)", text, re.MULTILINE)}
    for function, at in defined.items():
        used = [found.start() for found in re.finditer(rf"\b{function}\b", text) if found.start() > at + 40]
        assert used, f"{function} is carried by {name} and not used"
    for constant in set(re.findall(r"\bKEY\.(\w+)", text)):
        assert f"{constant} = '" in text


def test_a_short_script_is_short() -> None:
    assert "dead_letter" not in script("renew").text
