"""Small files that outlive the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudiad.llm.state_file import write_whole


def test_it_is_there_whole_and_alone(tmp_path: Path) -> None:
    """The folder is made, and nothing stays beside the file."""
    path = tmp_path / "state" / "models.json"
    for text in ("old, and longer", "new 新"):
        write_whole(path, text)
    assert path.read_text(encoding="utf-8") == "new 新"
    assert [file.name for file in path.parent.iterdir()] == ["models.json"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new one is written beside it, and thrown away."""
    path = tmp_path / "models.json"
    write_whole(path, "old")

    def full(_handle: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("claudiad.llm.state_file.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["models.json"]
