"""One process holds the robot; and the interface of a good start is found again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claudiad.errors import Busy
from claudiad.robot.go2 import memo
from claudiad.robot.go2.hold import Hold


def test_a_second_holder_is_refused_and_told_where_to_turn() -> None:
    """By name of interface and domain; let go of, it can be had again."""
    first = Hold("test-if", 211)
    with pytest.raises(Busy, match="claudiactl"):
        Hold("test-if", 211)
    Hold("test-if", 212).release()
    first.release()
    Hold("test-if", 211).release()


def test_what_was_kept_last_is_found(tmp_path: Path) -> None:
    """Systemd's or the user's: the newest."""
    environ = {"XDG_STATE_HOME": str(tmp_path / "user"), "STATE_DIRECTORY": str(tmp_path / "unit")}
    memo.save(tmp_path / "user" / "claudia", "eth0", 0)
    assert memo.load(environ) == ("eth0", 0)
    memo.save(tmp_path / "unit", "eth1", 7)
    os.utime(tmp_path / "user" / "claudia" / memo.NAME, (1, 1))
    assert memo.load(environ) == ("eth1", 7)
    os.utime(tmp_path / "unit" / memo.NAME, (0, 0))
    assert memo.load(environ) == ("eth0", 0)


def test_whoever_may_look_into_the_folder_can_read_it(tmp_path: Path) -> None:
    """The unit's umask is 0077, and a member of its group has to be able to stop the robot."""
    before = os.umask(0o077)
    try:
        memo.save(tmp_path, "eth0", 0)
    finally:
        os.umask(before)
    assert (tmp_path / memo.NAME).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"interface": "eth0"}', '{"interface": "e", "domain": "x"}', "\x00"]
)
def test_a_spoiled_file_is_passed_over(content: str, tmp_path: Path) -> None:
    """It must not keep anybody from stopping the robot by --interface."""
    (tmp_path / "claudia").mkdir()
    (tmp_path / "claudia" / memo.NAME).write_text(content, encoding="utf-8")
    assert memo.load({"XDG_STATE_HOME": str(tmp_path)}) is None
