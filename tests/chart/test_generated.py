"""What is made from other files is current."""

import subprocess
import sys

import pytest
from tests.chart.render import CHART

TOOLS = CHART.parents[1] / "tools"


@pytest.mark.parametrize("tool", ["chart_readme.py", "dashboards.py"])
def test_generated_files_are_current(tool: str) -> None:
    done = subprocess.run(
        [sys.executable, TOOLS / tool, "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
