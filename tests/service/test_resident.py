"""Giving back memory that only the start needed."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from claudiad.service.resident import release


def resident_kb(name: str) -> int:
    """Of the mappings of a file in this process."""
    total, mine = 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if "-" in words[0] and len(words) >= 5:
            mine = words[-1].endswith(name)
        elif mine and words[0] == "Rss:":
            total += int(words[1])
    return total


def mapped(path: Path, access: int) -> mmap.mmap:
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 0, access=access)


def test_pages_of_a_read_only_file_go_and_come_back(tmp_path: Path) -> None:
    """Released pages are not resident any more, and reading them again gives what is in the file."""
    path = tmp_path / "words.dic"
    path.write_bytes(os.urandom(1_000_000))
    with mapped(path, mmap.ACCESS_READ) as view:
        assert view[:] == path.read_bytes()
        before = resident_kb("words.dic")
        assert before > 900
        assert release(("words.dic",)) >= 1_000_000
        assert resident_kb("words.dic") < before // 10
        assert view[:] == path.read_bytes()


def test_what_was_written_stays(tmp_path: Path) -> None:
    """A private copy that was changed exists nowhere else."""
    path = tmp_path / "words.dic"
    path.write_bytes(bytes(100_000))
    with mapped(path, mmap.ACCESS_COPY) as view:
        view[:5] = b"mine!"
        assert release(("words.dic",)) == 0
        assert view[:5] == b"mine!"


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """Only files of that name."""
    path = tmp_path / "other.dic"
    path.write_bytes(os.urandom(100_000))
    with mapped(path, mmap.ACCESS_READ) as view:
        assert view[:] == path.read_bytes()
        before = resident_kb("other.dic")
        assert release(("words.dic",)) == 0
        assert resident_kb("other.dic") == before
