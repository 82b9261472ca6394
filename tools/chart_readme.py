"""Write the chart's README from its schema and values; with --check, only say whether it is current.

Definitions that several components share are listed once and linked.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "charts" / "celeriac"

HEAD = """# celeriac

{description}. Kubernetes {kube}, Helm 3.14 or newer, or 4.

```sh
helm install celeriac charts/celeriac --namespace tasks --create-namespace
helm test celeriac --namespace tasks
```

[docs/install.md](../../docs/install.md) walks from nothing to a dashboard; [docs/chart.md](../../docs/chart.md) says
what the chart does and why; `ci/` has a values file for each supported shape. Values that contradict each other are
refused with a sentence that says which and why.

This file is made from `values.schema.json` and `values.yaml` by `make generate`.

"""


def _type(schema: dict[str, Any]) -> str:
    kinds = schema.get("type", "any")
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _default(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 60 else "see values.yaml"


def _reference(schema: dict[str, Any]) -> str | None:
    for part in schema.get("allOf", [schema]):
        if "$ref" in part:
            return str(part["$ref"]).rsplit("/", 1)[1]
    return None


def _rows(schema: dict[str, Any], values: Any, path: str) -> list[str]:
    rows = []
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        value = values.get(name) if isinstance(values, dict) else None
        name_of = _reference(inner)
        text = inner.get("description", "")
        if name_of:
            text = f"{text} As [{name_of}](#{name_of.lower()}).".strip()
            rows.append(f"| `{here}` | {name_of} | {_default(value)} | {text} |")
        elif "properties" in inner:
            rows.append(f"| `{here}` | | | {text} |")
            rows += _rows(inner, value, here)
        else:
            rows.append(f"| `{here}` | {_type(inner)} | {_default(value)} | {text} |")
    return rows


def readme() -> str:
    """Return the whole text."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    parts = [HEAD.format(description=chart["description"], kube=chart["kubeVersion"].removesuffix("-0"))]
    table = "| value | type | default | meaning |\n|---|---|---|---|\n"
    for name, section in schema["properties"].items():
        if "properties" not in section:
            continue
        parts.append(f"## {name}\n\n{section.get('description', '')}\n\n{table}")
        parts.append("\n".join(_rows(section, values.get(name), name)) + "\n\n")
    single = {name: s for name, s in schema["properties"].items() if "properties" not in s}
    parts.insert(1, f"## General\n\n{table}" + "\n".join(_rows({"properties": single}, values, "")) + "\n\n")
    parts.append("# Shared\n\n")
    for name, section in schema["definitions"].items():
        defaults = values["workerDefaults"] if name == "worker" else None
        parts.append(f"## {name}\n\n{section.get('description', '')}\n\n")
        rows = _rows(section, defaults, "")
        if rows:
            parts.append(table + "\n".join(rows) + "\n\n")
    return "".join(parts).rstrip() + "\n"


def main() -> int:
    """Write the file, or compare it."""
    target = CHART / "README.md"
    if "--check" not in sys.argv[1:]:
        target.write_text(readme())
    elif not target.exists() or target.read_text() != readme():
        sys.stderr.write("charts/celeriac/README.md is not current: run 'make generate'\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
