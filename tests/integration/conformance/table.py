"""``docs/conformance.md``, from the results of a run of the suite.

``pytest tests/integration/conformance --write-conformance`` writes it. Any other run of the whole suite fails when
the page does not say what was found.
"""

from pathlib import Path
from typing import Any

import pytest
from tests.integration.conformance.differences import DIFFERENCES

PAGE = Path(__file__).parents[3] / "docs" / "conformance.md"
POOLS = ("prefork", "solo", "threads", "gevent", "asyncio")
KINDS = ("sync", "async")

HEAD = """# How tasks behave under each pool

Written by `make conformance` from the results of `tests/integration/conformance`, which runs each behaviour on a real
worker of each pool, once with a `def` task and once with the same task as `async def`. The suite fails when this page
does not say what it found.

"yes": as Celery documents it for prefork. A number: it differs, for the reason below, and the test asserts that
difference.

"""


class Table:
    """Collects what each test found."""

    def __init__(self, *, write: bool) -> None:
        self._write = write
        self._files: set[Path] = set()
        self._behaviours: dict[str, str] = {}
        self._results: dict[tuple[str, str, str], bool] = {}
        self._problem: str | None = None

    @pytest.hookimpl(tryfirst=True)  # before `-k` deselects any
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._files = {item.path for item in items}
        for item in items:
            key = _key(item)
            if key is not None:
                self._behaviours[key[0]] = _title(item)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        report = (yield).get_result()
        key = _key(item)
        if key is not None and report.when == "call":
            self._results[key] = report.passed

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        whole = self._files >= set(Path(__file__).parent.glob("test_*.py"))
        complete = len(self._results) == len(self._behaviours) * len(POOLS) * len(KINDS)
        if not whole or not complete or not all(self._results.values()):
            return
        page = self._page()
        if self._write:
            PAGE.write_text(page)
        elif not PAGE.exists() or PAGE.read_text() != page:
            self._problem = f"{PAGE.name} does not say what was found: run `make conformance`"
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._problem:
            terminalreporter.write_line(self._problem, red=True)

    def _page(self) -> str:
        notes: list[str] = []
        lines = [
            "| | " + " | ".join(POOLS) + " |",
            "|---|" + "---|" * len(POOLS),
        ]
        for behaviour, title in self._behaviours.items():
            cells = [self._cell(behaviour, pool, notes) for pool in POOLS]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
        reasons = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
        return HEAD + "\n".join([*lines, "", *reasons]) + "\n"

    def _cell(self, behaviour: str, pool: str, notes: list[str]) -> str:
        cells = []
        for kind in KINDS:
            reason = DIFFERENCES.get((behaviour, pool, kind))
            if reason is None:
                cells.append("yes")
                continue
            if reason not in notes:
                notes.append(reason)
            cells.append(str(notes.index(reason) + 1))
        sync, asynchronous = cells
        return sync if sync == asynchronous else f"def {sync}, async {asynchronous}"


def _key(item: pytest.Item) -> tuple[str, str, str] | None:
    callspec = getattr(item, "callspec", None)
    if callspec is None or not {"pool", "subject"} <= callspec.params.keys():
        return None
    name = getattr(item, "originalname", item.name)
    return name.removeprefix("test_"), callspec.params["pool"], callspec.params["subject"]


def _title(item: pytest.Item) -> str:
    function: Any = getattr(item, "function", None)
    return (function.__doc__ or item.name).strip().splitlines()[0].rstrip(".")
