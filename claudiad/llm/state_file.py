"""Small files that outlive the process: written whole or not at all, read with a limit."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 1_000_000


def write_whole(path: Path, text: str) -> None:
    """Replace `path` by `text`; whoever reads, or a power cut, finds the old or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(part).unlink()
        raise


def read_bounded(path: Path) -> bytes | None:
    """What is in it; None when there is no such file. Raises OSError, also when it is larger than `MAX_BYTES`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(data) > MAX_BYTES:
        raise OSError(f"{path} is larger than {MAX_BYTES} bytes")
    return data
