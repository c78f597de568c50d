"""`claudiad mission` on the simulator, called as a person would."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import cli, cmd_mission, options, parts
from claudiad.app.cmd_mission import Mission, Sentence
from claudiad.brain.mind import Mind
from claudiad.brain.router import Router, Tables, load_tables
from claudiad.clock import Clock, JumpClock
from claudiad.config import Settings
from claudiad.robot.base import Outcome, Robot, Status, always
from claudiad.robot.registry import askable
from claudiad.robot.registry import load as load_registry
from claudiad.robot.safety import Policy
from claudiad.robot.sim import SimRobot
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Action

EXAMPLE = Path(__file__).parents[2] / "docs" / "missions" / "example.txt"
KEYS = [
    "line", "text", "route", "actions", "refused", "success", "seconds", "error_m", "error_deg", "error_percent",
    "pose", "reply",
]  # fmt: skip

Run = Callable[..., list[dict[str, Any]]]


@lru_cache
def _tables() -> Tables:
    return load_tables(askable(load_registry()))


@pytest.fixture(autouse=True)
def _here_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration, no state and no temporary folder but the test's; the shipped tables read once."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "STATE_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("claudiad.app.settings.SYSTEM_FILE", tmp_path / "none.toml")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(parts, "load_tables", lambda _actions, _own: _tables())


@pytest.fixture
def mission(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a mission with `--json`; fails when the exit status is another."""

    def run(*sentences: str, options: tuple[str, ...] = (), status: int = 0) -> list[dict[str, Any]]:
        path = tmp_path / "m.txt"
        path.write_text("\n".join(sentences) + "\n", encoding="utf-8")
        code = cli.main(["mission", "--json", *options, str(path)])
        out = capsys.readouterr()
        assert code == status, out.err
        return [json.loads(row) for row in out.out.splitlines()]

    return run


def names(one: dict[str, Any]) -> list[str]:
    return [a["name"] for a in one["actions"]]


@pytest.mark.parametrize("slip", ["0", "0.15", "0.3"])
def test_the_example_succeeds_within_five_percent(
    slip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forward, turn, a place, a picture and the way back: all done, and the robot where it should be, slip or not."""
    photos = tmp_path / "photos"
    assert cli.main(["mission", "--json", "--slip", slip, "--photos", str(photos), str(EXAMPLE)]) == 0
    captured = capsys.readouterr()
    out = [json.loads(row) for row in captured.out.splitlines()]
    assert [list(one) for one in out] == [KEYS] * 6
    assert [one["line"] for one in out] == [2, 3, 4, 5, 6, 7]
    assert all(one["success"] for one in out)
    for number, (x, y) in {1: (1, 0), 3: (2, 1), 5: (0, 0)}.items():
        one = out[number]
        assert 0 < one["error_percent"] <= 5.0
        assert math.hypot(one["pose"]["x"] - x, one["pose"]["y"] - y) <= 0.075
    assert abs(math.degrees(out[5]["pose"]["yaw"])) <= 5.0
    (picture,) = photos.iterdir()
    assert out[4]["reply"].endswith("の名前で保存しました。")
    assert b"x=%.3f" % out[4]["pose"]["x"] in picture.read_bytes()
    assert captured.err.startswith("6 of 6 sentences succeeded in ")
    assert captured.err.rstrip().endswith(str(photos))


def test_for_people_it_is_a_table_with_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Each sentence with its answer as it comes, then all of them, then the sum."""
    assert cli.main(["mission", str(EXAMPLE)]) == 0
    out = capsys.readouterr().out
    assert out.index("一メートル前に進んで\n    「はい、前に進みます。」") < out.index("┏")
    assert "move x=1" in out
    assert out.rstrip().splitlines()[-1].startswith("6 of 6 sentences succeeded in ")


def test_each_sentence_begins_where_the_last_one_ended(mission: Run) -> None:
    """One robot: it stays sitting and stands up by itself, and poses add up."""
    out = mission("座って", "一メートル前に進んで", "左に九十度回って", "一メートル前に進んで")
    assert names(out[1]) == ["StandUp", "move"]
    assert out[1]["actions"][0]["inserted"] is True
    assert math.dist((out[3]["pose"]["x"], out[3]["pose"]["y"]), (1.0, 1.0)) <= 0.06
    assert [one["seconds"] > 1.0 for one in out] == [True] * 4


def test_the_error_is_from_where_the_moves_lead(mission: Run) -> None:
    """Without a move there is none; on the spot there is no percentage; otherwise it is what pose and goal say."""
    sit, turn, walk = mission("立って", "右に九十度回って", "五十センチ前に進んで")
    assert [sit[key] for key in ("error_m", "error_deg", "error_percent")] == [None] * 3
    assert (turn["error_percent"], turn["error_m"]) == (None, 0.0)
    off_deg = abs(math.degrees(math.remainder(turn["pose"]["yaw"] + math.pi / 2, math.tau)))
    assert turn["error_deg"] == pytest.approx(off_deg, abs=0.02)
    yaw = turn["pose"]["yaw"]
    off_m = math.hypot(walk["pose"]["x"] - 0.5 * math.cos(yaw), walk["pose"]["y"] - 0.5 * math.sin(yaw))
    assert walk["error_m"] == pytest.approx(off_m, abs=2e-4)
    assert walk["error_percent"] == pytest.approx(100 * walk["error_m"] / 0.5, abs=0.02)


@pytest.mark.parametrize(
    ("sentence", "refused"),
    [
        ("宙返りして", ["FrontFlip"]),
        ("明日の株価は", []),
        ("お手じゃなくて株価は", []),
        ("写真を見て", []),  # asks back
        ("x=100、y=0に行って", []),
        ("伸びて踊って座って立って挨拶してお手してハートして", []),  # more than six
    ],
)
def test_a_sentence_that_is_not_done_fails_and_the_rest_goes_on(
    sentence: str, refused: list[str], mission: Run
) -> None:
    """Refused, not understood, asked back: no success, exit status 1, and the next sentence is done."""
    bad, good = mission(sentence, "座って", status=1)
    assert (bad["success"], names(bad), [r["name"] for r in bad["refused"]]) == (False, [], refused)
    assert bad["reply"]
    assert (good["success"], names(good)) == (True, ["Sit"])


def test_a_flip_that_is_allowed_is_done(mission: Run) -> None:
    """`--allow-high-risk` as with `ask`; a low battery refuses it all the same."""
    assert names(mission("宙返りして", options=("--allow-high-risk",))[0]) == ["FrontFlip"]
    (out,) = mission("宙返りして", options=("--allow-high-risk", "--battery", "25"), status=1)
    assert out["refused"][0]["reason"] == out["reply"] != ""


def test_an_answer_is_a_success(mission: Run) -> None:
    """A greeting, something forbidden and being there already need no action."""
    out = mission("こんにちは", "踊らないで", "出発点に戻って")
    assert [(one["success"], one["reply"] != "") for one in out] == [(True, True)] * 3
    assert out[2]["actions"] == []


def test_a_walk_that_was_cut_short_is_no_success(mission: Run) -> None:
    """Ten metres asked for, three walked: the person is told, and it is off by seven."""
    (out,) = mission("十メートル前に進んで", status=1)
    assert names(out) == ["move"]
    assert out["error_percent"] == pytest.approx(70.0, abs=1.0)
    assert "3メートルまで" in out["reply"]


def test_the_latch_holds_until_it_is_released(mission: Run) -> None:
    """緊急停止 in a mission keeps everything after it from moving, until 解除."""
    out = mission("緊急停止", "座って", "解除", "座って", status=1)
    assert [names(one) for one in out] == [["stop"], [], [], ["Sit"]]
    assert [one["success"] for one in out] == [True, False, True, True]


def test_the_posture_and_the_settings_count(mission: Run) -> None:
    """The simulator begins as told, and walks as fast as the settings let it."""
    (lying,) = mission("一メートル前に進んで", options=("--posture", "lying", "--set", "robot.max_speed=0.1"))
    (standing,) = mission("一メートル前に進んで")
    assert names(lying) == ["StandUp", "move"]
    assert lying["seconds"] > 2 * standing["seconds"]


def test_pictures_go_where_the_settings_say(mission: Run, tmp_path: Path) -> None:
    """Without `--photos`; a folder that cannot be written to fails the sentence, with words."""
    mission("写真を撮って", options=("--set", f"robot.photos={tmp_path / 'kept'}"))
    assert len(list((tmp_path / "kept").iterdir())) == 1
    (out,) = mission("写真を撮って", options=("--photos", str(tmp_path / "m.txt")), status=1)
    assert out["reply"].endswith("写真を保存できませんでした。")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", ":1: no sentence"),
        (b"# only\n\n   \n", ":4: no sentence"),
        ("座って\n\n".encode() + b"\xff\xfe\n", ":3: is not UTF-8"),
        (None, ":1: cannot be read: "),
    ],
)
def test_a_file_without_sentences_is_refused(
    data: bytes | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, not UTF-8 or not there: one line with file and line, exit status 65, and nothing is done."""
    path = tmp_path / "m.txt"
    if data is not None:
        path.write_bytes(data)
    assert cli.main(["mission", str(path)]) == 65
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"{path}{says}" in err


def test_comments_blanks_and_line_ends_of_others(tmp_path: Path) -> None:
    """A mark of byte order, CR LF, spaces around and a last line without an end are no part of a sentence."""
    path = tmp_path / "m.txt"
    path.write_bytes("\ufeff座って\r\n\r\n # 休む\r\n　伏せて \r\n立って".encode())
    assert cmd_mission.read(path) == [Sentence(1, "座って"), Sentence(4, "伏せて"), Sentence(5, "立って")]


@pytest.mark.parametrize("slip", ["0.31", "-0.1", "nan", "much"])
def test_a_slip_out_of_range_is_a_wrong_command_line(slip: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 64."""
    with pytest.raises(SystemExit) as left:
        cli.main(["mission", f"--slip={slip}", str(EXAMPLE)])
    assert left.value.code == 64
    assert "--slip" in capsys.readouterr().err


def test_a_real_robot_is_asked_for_where_all_commands_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--robot go2` goes through `options.robot_of`, on the system's clock, and never ends at a simulator."""
    asked: list[tuple[str, str]] = []

    class Asked(Exception):
        pass

    def robot_of(args: argparse.Namespace, clock: Clock, _settings: Settings) -> Robot:
        asked.append((args.robot, type(clock).__name__))
        raise Asked

    monkeypatch.setattr(options, "robot_of", robot_of)
    with pytest.raises(Asked):
        cli.main(["mission", "--robot", "go2", str(EXAMPLE)])
    assert asked == [("go2", "SystemClock")]


class Interrupted(SimRobot):
    """A simulator during whose walk the person presses Ctrl-C."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.task: asyncio.Task[Any] | None = None

    async def perform(self, action: Action, permit: Callable[[], bool] = always) -> Outcome:
        assert self.task is not None
        if action.name == "move":
            asyncio.get_running_loop().call_soon(self.task.cancel)
        return await super().perform(action, permit)


async def test_ctrl_c_stops_the_robot_and_ends_the_mission() -> None:
    """What asyncio makes of it, a cancellation, leaves nothing moving, and the next sentence is never begun."""
    clock = JumpClock()
    robot = Interrupted(clock)
    shown: list[cmd_mission.Report] = []
    sentences = [Sentence(1, "三メートル前に進んで"), Sentence(2, "座って")]
    robot.task = asyncio.ensure_future(
        cmd_mission._all(
            sentences,
            robot,
            Mind(Router(_tables())),
            settings=options.settings_of(argparse.Namespace(set=[], config=None)),
            clock=clock,
            show=shown.append,
            simulated=True,
        )
    )
    with pytest.raises(asyncio.CancelledError):
        await robot.task
    assert shown == []
    assert robot.calls[-1].name == "stop"
    assert "Sit" not in [call.name for call in robot.calls]
    assert robot.state().running is None


async def test_a_step_that_does_not_succeed_is_said() -> None:
    """A robot that cannot get on gives up with words, and the sentence has failed."""
    clock = JumpClock()
    robot = SimRobot(clock, slip=1.0)
    lane = StopLane(robot, clock)
    lane.start()
    try:
        report = await Mission(robot, lane, Mind(Router(_tables())), Policy(), clock).carry_out(
            Sentence(1, "一メートル前に進んで")
        )
    finally:
        lane.close()
    assert not report.success
    assert report.error_percent == pytest.approx(100.0)
    assert report.reply == "はい、前に進みます。目標の所まで行けませんでした。"


async def test_a_robot_that_cannot_be_reached_fails_the_sentence() -> None:
    """What an engine answers instead of doing something is no success."""

    class Away(SimRobot):
        async def perform(self, action: Action, permit: Callable[[], bool] = always) -> Outcome:
            return Outcome(Status.UNREACHABLE, "ロボットに届きませんでした。")

    clock = JumpClock()
    robot = Away(clock)
    lane = StopLane(robot, clock)
    lane.start()
    try:
        report = await Mission(robot, lane, Mind(Router(_tables())), Policy(), clock).carry_out(Sentence(1, "座って"))
    finally:
        lane.close()
    assert (report.success, report.reply) == (False, "はい、座ります。ロボットに届きませんでした。")
