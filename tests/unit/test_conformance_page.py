import subprocess
import sys
from pathlib import Path

from tests.integration.conformance.differences import DIFFERENCES, POOLS
from tests.integration.conformance.page import KINDS, behaviours

ROOT = Path(__file__).parents[2]


def test_it_is_current() -> None:
    module = [sys.executable, "-m", "tests.integration.conformance.page", "--check"]
    checked = subprocess.run(module, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_each_row_says_what_it_is_about() -> None:
    assert [name for name, title in behaviours().items() if not title] == []
    assert len(behaviours()) > 25


def test_each_difference_is_of_a_test_that_there_is() -> None:
    for behaviour, pool, kind in DIFFERENCES:
        assert behaviour in behaviours()
        assert pool in POOLS
        assert kind in KINDS
