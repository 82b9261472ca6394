"""docs/document.md and docs/traps.md: no heading is left out, and every test they name exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = (ROOT / "tests" / "document" / "best-practices.md").read_text()
TABLE = ROOT / "docs" / "document.md"
TRAPS = ROOT / "docs" / "traps.md"
ROW = re.compile(r"^\| (?P<heading>[^|]+?) \| [^|]+ \| `(?P<test>[^`]+)` \|$", re.MULTILINE)


def headings() -> list[str]:
    prose = re.sub(r"^```.*?^```", "", DOCUMENT, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^#{1,6} (.+)$", prose, re.MULTILINE)


def test_every_heading_is_in_the_table() -> None:
    found = [match["heading"] for match in ROW.finditer(TABLE.read_text())]
    assert len(headings()) == 60
    assert found == headings()


def named(page: Path) -> list[str]:
    return sorted(set(re.findall(r"`(tests/[^`]+::\w+)`", page.read_text())))


@pytest.mark.parametrize("test", sorted({*named(TABLE), *named(TRAPS)}))
def test_it_exists(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions


TRAP = re.compile(
    r"\| (?P<number>\d[\d.]*) \| [^|]+ \| [^|]+ \| `tests/[^`]+::\w+` \| `tests/[^`]+::(?P<stock>\w+)` \|"
)


def test_every_trap_names_its_test_and_the_one_that_shows_it_on_stock_celery() -> None:
    lines = [line for line in TRAPS.read_text().splitlines() if re.match(r"\| \d", line)]
    rows = [TRAP.fullmatch(line) for line in lines]
    assert len(rows) > 35
    assert [line for line, row in zip(lines, rows, strict=True) if row is None] == []
    for row in filter(None, rows):
        numbers = re.match(r"test_trap((?:_\d+)+)_", row["stock"])
        assert numbers, row["stock"]
        assert f"_{row['number'].replace('.', '_')}_" in f"{numbers[1]}_", row["stock"]


def test_no_trap_is_shown_without_its_row() -> None:
    tests = {
        name
        for file in (ROOT / "tests" / "integration" / "traps").glob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    listed = set(re.findall(r"^\| ([\d.]+) \|", TRAPS.read_text(), re.MULTILINE))
    for name in tests:
        number = re.match(r"test_trap_(\d+)(?:_(\d+))?_", name)
        assert number, name
        assert ".".join(filter(None, number.groups())) in listed, name


@pytest.mark.parametrize("page", [TABLE, TRAPS])
def test_the_pages_it_links_are_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
        assert (page.parent / link).is_file(), link
