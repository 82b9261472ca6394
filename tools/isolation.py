"""Install each workspace member alone into an empty environment and import every module it ships.

One shared environment hides a missing dependency: what one member forgot, another brought along. A module named like
an extra of its distribution (``celeriac.testing``) is imported once that extra is installed, and not before.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
DEADLINE: Final = 300.0
IMPORT_ALL: Final = """
import importlib, pkgutil, sys
package, skipped = importlib.import_module(sys.argv[1]), set(sys.argv[2:])
def fail(name):
    raise
for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".", onerror=fail):
    if not any(module.name == name or module.name.startswith(name + ".") for name in skipped):
        importlib.import_module(module.name)
"""


@dataclass(frozen=True)
class Member:
    """A workspace member: its distribution, its import name and its extras."""

    distribution: str
    package: str
    extras: tuple[str, ...]


def members() -> list[Member]:
    """Read the members from the workspace's own list."""
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]
    found = []
    for pattern in workspace["members"]:
        for manifest in sorted(ROOT.glob(f"{pattern}/pyproject.toml")):
            content = tomllib.loads(manifest.read_text())
            found.append(
                Member(
                    distribution=content["project"]["name"],
                    package=content["tool"]["uv"]["build-backend"]["module-name"],
                    extras=tuple(content["project"].get("optional-dependencies", {})),
                )
            )
    return found


def run(*command: str, **environment: str) -> str | None:
    """Run *command*; return what it said when it failed."""
    result = subprocess.run(
        command, cwd=ROOT, env=environment or None, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    return None if result.returncode == 0 else (result.stderr or result.stdout).strip()


def check(uv: str, member: Member, extras: tuple[str, ...]) -> str | None:
    """Install *member* with *extras* and nothing else, import it, and return what went wrong."""
    with tempfile.TemporaryDirectory(prefix="celeriac-isolation-") as folder:
        sync = [uv, "sync", "--locked", "--quiet", "--no-default-groups", "--no-editable"]
        sync += ["--package", member.distribution, *(f"--extra={extra}" for extra in extras)]
        absent = [f"{member.package}.{extra}" for extra in member.extras if extra not in extras]
        fault = run(*sync, **{**os.environ, "UV_PROJECT_ENVIRONMENT": folder}) or run(
            f"{folder}/bin/python", "-I", "-c", IMPORT_ALL, member.package, *absent
        )
    if fault is None:
        return None
    named = "".join(f"[{extra}]" for extra in extras)
    return f"{member.distribution}{named} does not import when it is installed alone:\n{fault}"


def main() -> int:
    """Check all members; return the exit code."""
    uv = sys.argv[1] if len(sys.argv) > 1 else "uv"
    cases = [(member, extras) for member in members() for extras in {(), member.extras}]
    with ThreadPoolExecutor(max_workers=2) as pool:
        faults = [fault for fault in pool.map(lambda case: check(uv, *case), cases) if fault]
    sys.stdout.write("\n\n".join(faults) + "\n" if faults else f"{len(cases)} isolated installations import\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
