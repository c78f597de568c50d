"""Which part imports which: what docs/architecture.md says, and no other direction."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "claudiad"
_ROW = re.compile(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


def imported(file: Path) -> Iterator[str]:
    """Everything of claudiad that a file names in an import, wherever in it: `tts.clauses`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("claudiad.") for name in names if name.startswith("claudiad."))


def directions() -> dict[str, set[str]]:
    """Each part, and each module beside the parts, to the parts it imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in PACKAGE.rglob("*.py"):
        part = file.relative_to(PACKAGE).with_suffix("").parts[0]
        for name in imported(file):
            other = name.split(".")[0]
            if (PACKAGE / other).is_dir() and other != part:
                found[part].add(other)
    return found


def test_parts_import_what_the_page_says_and_nothing_else() -> None:
    """The table of docs/architecture.md is complete, and nothing in it is out of date."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = {part: set(re.findall(r"\w+", others)) for part, others in _ROW.findall(page)}
    found = directions()
    assert {part: others for part, others in found.items() if part not in ("app", "__main__")} == listed


def test_only_the_command_imports_app() -> None:
    """No part knows how the parts are put together."""
    assert [part for part, others in directions().items() if "app" in others] == ["__main__"]
