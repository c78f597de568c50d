"""Reading tab-separated tables: comments, column counts, and faults that name file and line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from claudiad.errors import DataError

DATA = Path(__file__).resolve().parent.parent / "data"
"""The package's own tables."""


_BRACES = re.compile(r"\{([^{}]*)\}")


def expand(text: str) -> Iterator[str]:
    """`て{,も}いい` → ていい, てもいい: braces as in a shell, not nested."""
    pieces = _BRACES.split(text)
    # Odd pieces are what stood between braces.
    yield from map("".join, itertools.product(*(p.split(",") if i % 2 else [p] for i, p in enumerate(pieces))))


def rows(path: Path, *columns: int) -> Iterator[tuple[int, list[str]]]:
    """(line number, stripped cells) of every line that is neither empty nor a `#` comment.

    Raises `DataError` for a missing file, text that is not UTF-8, and a row whose number of cells is
    not one of `columns`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise DataError(f"{path}:0: cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        line = path.read_bytes()[: e.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: is not UTF-8") from e
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        cells = [cell.strip() for cell in row.split("\t")]
        if len(cells) not in columns:
            wanted = " or ".join(str(c) for c in columns)
            raise DataError(f"{path}:{number}: {len(cells)} columns where {wanted} belong (tab-separated)")
        yield number, cells
