"""The documents name what exists: files, make targets, commands."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from celeriac_cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("charts/*/README.md")})
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]*)")
COMMAND = re.compile(r"(?:^|`|bin/)celeriac ([a-z][a-z-]*)\b", re.MULTILINE)


def targets() -> set[str]:
    makefiles = (ROOT / "Makefile", *ROOT.glob("*.mk"))
    return {name for path in makefiles for name in re.findall(r"^([a-z][a-z0-9-]*):", path.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
    assert [link for link in LINK.findall(text) if not (document.parent / link).exists()] == []
    assert set(MAKE.findall(code)) - targets() == set()
    assert set(COMMAND.findall(code)) - set(getattr(get_command(app), "commands", {})) == set()


def test_every_target_is_explained() -> None:
    for path in (ROOT / "Makefile", *ROOT.glob("*.mk")):
        for line in path.read_text().splitlines():
            if re.match(r"^[a-z][a-z0-9-]*:(?!=)", line):
                assert "## " in line, f"{path.name}: {line}"
