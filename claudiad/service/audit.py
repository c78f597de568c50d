"""The audit log: one JSON object per line and turn, in files that never grow past a bound.

`audit.jsonl` is the newest; `audit.1.jsonl` … `audit.<keep>.jsonl` are older. At most `(keep + 1) * max_bytes`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

log = logging.getLogger(__name__)

CURRENT: Final = "audit.jsonl"
MAX_LINE: Final = 1_000_000
"""Bytes. A turn's record has a few thousand."""

TEXT_WITHOUT_SPEECH: Final = frozenset(
    {
        "started",
        "dropped",
        "route",
        "kind",
        "name",
        "title",
        "reason",
        "outcome",
        "posture",
        "model",
        "engine",
        "version",
        "repairs",
    }
)
"""The only fields whose text is kept when speech is private. A list of what is allowed, not of what is
forbidden: a field somebody adds later is private until it is named here. `rule` is not: it quotes the phrase."""


class AuditLog:
    """The one writer of a directory's audit log. Never raises into the turn.

    `write` is one `write(2)` of one line to a file opened for appending, so a crash tears at most the last
    line and nothing waits in a buffer. Measured on two x86-64 cores: 25 µs of CPU, 0.6 ms at worst, when it
    rotates; so it is called from the event loop, once a turn, without a thread. Nothing is synced to disk: a
    power cut may cost the last turns, and a robot's flash card lives longer.
    """

    def __init__(self, directory: Path, max_bytes: int, keep: int, log_speech: bool) -> None:
        self._directory = directory
        self._path = directory / CURRENT
        self._max_bytes = max_bytes
        self._keep = keep
        self._log_speech = log_speech
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._size = 0
        self._failing = False
        self.dropped = 0
        """Records that could not be written since the start."""

    def write(self, record: Mapping[str, Any]) -> bool:
        """Append one record; False when it was lost (counted in `dropped`, one warning per outage)."""
        with self._lock:
            try:
                line = _line(record if self._log_speech else without_speech(record))
                if len(line) > self._max_bytes:
                    raise ValueError(f"a record of {len(line)} bytes is larger than a whole file")
                self._append(line)
            except (OSError, TypeError, ValueError, RecursionError) as error:
                self._lost(error)
                return False
            if self._failing:
                self._failing = False
                log.warning("audit log works again; %d records were lost since the start", self.dropped)
            return True

    @property
    def failing(self) -> bool:
        """The last record was lost."""
        return self._failing

    def close(self) -> None:
        """Let go of the file; a later `write` opens it again."""
        with self._lock:
            self._close()

    def _append(self, line: bytes) -> None:
        fd = self._current()
        if self._size + len(line) > self._max_bytes:
            self._close()
            self._rotate()
            fd = self._current()
        written = os.write(fd, line)
        if written < len(line):
            # The disk is full: half a line is worse than none.
            os.ftruncate(fd, self._size)
            raise OSError(28, "No space left on device")
        self._size += written

    def _current(self) -> int:
        """The open file; opened again when somebody moved or removed it."""
        if self._fd is not None:
            with contextlib.suppress(FileNotFoundError):
                here, there = os.fstat(self._fd), self._path.stat()
                if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                    return self._fd
            self._close()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags, 0o600)
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            self._close()
            raise OSError(f"{self._path} is no ordinary file")
        if stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(self._fd, 0o600)
        self._size = status.st_size
        if self._size and os.pread(self._fd, 1, self._size - 1) != b"\n":
            # A crash tore the last line: the next one must not be glued to it.
            self._size += os.write(self._fd, b"\n")
        return self._fd

    def _rotate(self) -> None:
        for index in range(self._keep, 0, -1):
            older = self._directory / f"audit.{index}.jsonl"
            newer = self._directory / (f"audit.{index - 1}.jsonl" if index > 1 else CURRENT)
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)
        # Files left from a larger `keep` would otherwise stay for ever.
        for path in self._directory.glob("audit.*.jsonl"):
            if (_age(path) or 0) > self._keep:
                path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with contextlib.suppress(OSError):
                os.close(fd)

    def _lost(self, error: Exception) -> None:
        self.dropped += 1
        self._close()
        if not self._failing:
            self._failing = True
            log.warning("audit log %s cannot be written, records are being lost: %s", self._path, error)


def read(directory: Path, on_corrupt: Callable[[], None] = lambda: None) -> Iterator[dict[str, Any]]:
    """All records, oldest first, one in memory at a time. A missing directory has none.

    Torn or foreign lines, and those longer than `MAX_LINE`, are told to `on_corrupt` and passed over. Raises OSError
    when a file that is there cannot be read.
    """
    rotated = sorted(((age, path) for path in directory.glob("audit.*.jsonl") if (age := _age(path))), reverse=True)
    for path in [*(path for _, path in rotated), directory / CURRENT]:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        with file:
            for line in _lines(file):
                try:
                    record = json.loads(line) if line is not None else None
                except (ValueError, RecursionError):
                    record = None
                if isinstance(record, dict):
                    yield record
                else:
                    on_corrupt()


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Lines; None for one that is too long to be a record, however long it is."""
    while line := file.readline(MAX_LINE):
        if len(line) < MAX_LINE or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)
        yield None


def without_speech(record: Mapping[str, Any]) -> dict[str, Any]:
    """`record` with every text that may hold what was said replaced by None, at any depth."""
    return {name: _private(name, value) for name, value in record.items()}


def _private(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inner: _private(inner, item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_private(name, item) for item in value]
    if value is None or isinstance(value, bool | int | float) or name in TEXT_WITHOUT_SPEECH:
        return value
    return None


def _line(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate has no UTF-8; backslashreplace writes it as JSON does: \ud800 and the like.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _age(path: Path) -> int | None:
    middle = path.name.removeprefix("audit.").removesuffix(".jsonl")
    return int(middle) if middle.isascii() and middle.isdigit() else None
