"""A stop that holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claudiad.errors import RobotError
from claudiad.robot.latch import Latch


def test_a_closed_latch_survives_a_restart(tmp_path: Path) -> None:
    """A new latch on the same path is closed until it is released, and then stays open."""
    path = tmp_path / "state" / "latch"
    latch = Latch(path)
    assert not latch.closed
    latch.close("緊急停止")
    latch.save()
    assert json.loads(path.read_text(encoding="utf-8")) == {"reason": "緊急停止"}
    again = Latch(path)
    assert again.closed
    assert again.reason == "restart"
    again.release()
    assert not again.closed
    assert not Latch(path).closed


def test_closing_needs_no_disk() -> None:
    """Without a path it holds for as long as the process lives."""
    latch = Latch()
    latch.close("x")
    latch.save()
    assert latch.closed
    latch.release()
    assert not latch.closed


def test_a_disk_that_fails_does_not_open_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When the file cannot be written the latch holds in memory, and the log says once what is lost."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    latch = Latch(tmp_path / "elsewhere")
    latch._path = tmp_path / "file" / "latch"  # the disk went bad after the start
    latch.close("x")
    latch.save()
    latch.save()
    assert latch.closed
    assert len(caplog.records) == 1


def test_what_cannot_be_read_is_closed(tmp_path: Path) -> None:
    """A path of which it cannot be known whether the file is there counts as closed."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert Latch(tmp_path / "file" / "latch").closed
    (tmp_path / "rubbish").write_bytes(b"\xff\x00")
    assert Latch(tmp_path / "rubbish").closed


def test_a_release_that_fails_leaves_it_closed(tmp_path: Path) -> None:
    """When the file cannot be removed the release is an error that names it, and nothing is released."""
    path = tmp_path / "latch"
    path.mkdir()
    latch = Latch(path)
    with pytest.raises(RobotError, match=str(path)):
        latch.release()
    assert latch.closed


def test_a_saved_latch_is_not_written_after_its_release(tmp_path: Path) -> None:
    """A late save does not bring a released latch back."""
    path = tmp_path / "latch"
    latch = Latch(path)
    latch.close("x")
    latch.release()
    latch.save()
    assert not path.exists()
    latch.close("y")
    latch.save()
    assert path.exists()
