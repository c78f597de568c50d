"""Pictures: how they are kept, what is said about them, and what the simulator's camera sees."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claudiad.clock import JumpClock
from claudiad.errors import RobotError
from claudiad.purity.filter import purify
from claudiad.robot import photo
from claudiad.robot.base import Status
from claudiad.robot.sim import SimRobot
from claudiad.types import Posture
from tests.robot.fakes import act

NOW = datetime(2026, 11, 20, 9, 5, 7, tzinfo=UTC)
JPEG = photo.simulated(1.0, -2.0, 0.5)


def kept(folder: Path) -> list[Path]:
    """What is in it."""
    return sorted(folder.iterdir())


def test_a_picture_is_kept_under_its_date_and_time(tmp_path: Path) -> None:
    """The bytes as they are, in a folder that is made if need be, and nothing else beside them."""
    path = photo.save(JPEG, tmp_path / "a" / "b", NOW)
    assert path == tmp_path / "a" / "b" / "photo-20261120-090507.jpg"
    assert path.read_bytes() == JPEG
    assert list(path.parent.iterdir()) == [path]


def test_a_picture_replaces_none(tmp_path: Path) -> None:
    """Several within one second are numbered, and each is still what it was."""
    paths = [photo.save(photo.simulated(n, 0.0, 0.0), tmp_path, NOW) for n in range(3)]
    names = ["photo-20261120-090507.jpg", "photo-20261120-090507-2.jpg", "photo-20261120-090507-3.jpg"]
    assert [path.name for path in paths] == names
    assert [path.read_bytes() for path in paths] == [photo.simulated(n, 0.0, 0.0) for n in range(3)]


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", JPEG[:-1], JPEG[1:], b"<html>", b"\xff\xd9\xff\xd8"])
def test_what_is_no_whole_jpeg_is_not_kept(data: bytes, tmp_path: Path) -> None:
    """An empty answer, half a picture and something else are faults, and leave no file."""
    with pytest.raises(RobotError, match=f"{len(data)} bytes"):
        photo.save(data, tmp_path, NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_a_fault(tmp_path: Path) -> None:
    """It is named, with the system's reason."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(RobotError, match=re.escape(str(tmp_path / "taken"))):
        photo.save(JPEG, tmp_path / "taken", NOW)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a picture nor a part of one."""

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RobotError, match="No space left"):
        photo.save(JPEG, tmp_path, NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("photo-20261120-090507.jpg", "写真を撮って、2026年11月20日9時5分7秒の名前で保存しました。"),
        ("photo-20261120-090507-2.jpg", "写真を撮って、2026年11月20日9時5分7秒の2番の名前で保存しました。"),
        ("other.jpg", "写真を撮って、保存しました。"),
    ],
)
def test_what_is_said_names_the_file_and_passes_the_gate(name: str, said: str) -> None:
    """In Japanese from end to end: the gate before the voice changes nothing."""
    assert photo.spoken(Path("/somewhere") / name) == said
    assert purify(said).clean == said


def test_the_simulated_picture_is_a_jpeg_that_says_where_it_was_taken() -> None:
    """Whole segments from begin to scan, the pose in the comment, one byte of picture data for each four blocks."""
    at, comment, kinds = 2, b"", []
    while True:
        assert JPEG[at] == 0xFF
        kind, length = JPEG[at + 1], int.from_bytes(JPEG[at + 2 : at + 4], "big")
        kinds.append(kind)
        if kind == 0xFE:
            comment = JPEG[at + 4 : at + 2 + length]
        at += 2 + length
        if kind == 0xDA:
            break
    assert comment == b"simulated x=1.000 y=-2.000 yaw=0.5000"
    assert kinds == [0xE0, 0xFE, 0xDB, 0xC0, 0xC4, 0xC4, 0xDA]
    assert JPEG[at:-2] == bytes(64 * 48 // 64 // 4)


async def test_the_simulator_takes_a_picture_where_it_stands(tmp_path: Path) -> None:
    """After a walk, the pose in the picture is the robot's; the outcome names the file; its body was asked nothing."""
    robot = SimRobot(JumpClock(), photos=tmp_path)
    await robot.perform(act("move", x=1.0))
    before = robot.calls
    outcome = await robot.perform(act("Photo"))
    (path,) = kept(tmp_path)
    seen = robot.state()
    assert (outcome.status, outcome.text) == (Status.DONE, photo.spoken(path))
    assert path.read_bytes() == photo.simulated(seen.x, seen.y, seen.yaw)
    assert abs(seen.x - 1.0) < 0.05
    assert robot.calls == before


@pytest.mark.parametrize("posture", Posture)
async def test_a_picture_leaves_the_posture_as_it_is(posture: Posture, tmp_path: Path) -> None:
    """Its id is Damp's: a standing robot that takes one stays on its feet."""
    robot = SimRobot(JumpClock(), posture, photos=tmp_path)
    assert (await robot.perform(act("Photo"))).status is Status.DONE
    assert (robot.state().posture, robot.body.falls) == (posture, 0)


async def test_without_a_folder_the_pictures_are_in_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for all pictures of a robot, not there before the first."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    robot = SimRobot(JumpClock())
    assert robot.photos is None
    await robot.perform(act("Photo"))
    await robot.perform(act("Photo"))
    assert robot.photos is not None
    assert robot.photos.parent == tmp_path
    assert len(kept(robot.photos)) == 2


async def test_a_stop_comes_before_the_picture(tmp_path: Path) -> None:
    """A picture that a stop overtakes is not taken."""
    clock = JumpClock()
    robot = SimRobot(clock, photos=tmp_path)

    async def stop() -> None:
        await clock.sleep(0.3)
        robot.stop_now()

    outcome, _ = await asyncio.gather(robot.perform(act("Photo")), stop())
    assert outcome.status is Status.INTERRUPTED
    assert kept(tmp_path) == []


async def test_a_picture_that_cannot_be_kept_is_no_picture(tmp_path: Path) -> None:
    """It is said, and nothing is raised: the robot is there all the same."""
    (tmp_path / "taken").write_text("a file")
    outcome = await SimRobot(JumpClock(), photos=tmp_path / "taken").perform(act("Photo"))
    assert (outcome.status, outcome.text) == (Status.REFUSED, "写真を保存できませんでした。")
