"""Options, output objects, the demo's script, and how the parts are put together."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from claudiad.app import options
from claudiad.app.demo_script import Line, faults, load_script
from claudiad.app.ledger import RefusedStep, Step, TurnRecord
from claudiad.app.output import action_json, decision_json, recording_json
from claudiad.app.parts import open_robot, wake_gate
from claudiad.app.state import audit_to_read, state_directory
from claudiad.brain.reading import reading
from claudiad.clock import JumpClock
from claudiad.config import Settings
from claudiad.errors import DataError, EngineMissing
from claudiad.robot import registry
from claudiad.types import Action, Decision, Posture, Refusal
from tests.app.room import settings_with

SIT = Action("Sit", 1009)
UP = Action("StandUp", 1004, inserted=True)
FLIP = Refusal("FrontFlip", 1030, "危ないので、できません。")


def record(turn: int, **values: object) -> TurnRecord:
    return replace(TurnRecord(turn=turn, started="2026-01-01T00:00:00+09:00"), **values)  # type: ignore[arg-type]


def test_an_action_says_when_safety_put_it_there() -> None:
    """`inserted` is there only when it is true, parameters are a plain object."""
    assert action_json(SIT) == {"name": "Sit", "api_id": 1009, "params": {}}
    assert action_json(UP)["inserted"] is True
    assert action_json(Action("move", 1008, {"x": 0.3}))["params"] == {"x": 0.3}


def test_a_decision_has_the_contracts_keys() -> None:
    """Exactly those of `ask`, with what would be done instead of what was asked."""
    decision = Decision("座って", "hotpath", "action", (SIT,), "はい。", 0.98765, "座って")
    out = decision_json(decision, [UP, SIT], [FLIP], "だめです。", {"decide": 0.2})
    assert list(out) == ["text", "route", "kind", "actions", "refused", "reply", "confidence", "timings_ms"]
    assert [a["name"] for a in out["actions"]] == ["StandUp", "Sit"]
    assert out["refused"] == [{"name": "FrontFlip", "api_id": 1030, "reason": FLIP.reason}]
    assert (out["reply"], out["confidence"]) == ("だめです。", 0.988)


def test_several_utterances_are_one_object() -> None:
    """Lists, transcripts and replies are joined; the route is that of the one that did something."""
    mumble = record(1, transcript="あー", reading="アー", dropped="out of vocabulary", oov=0.9)
    praise = record(2, transcript="いい子", reading="イイコ", route="fallback", kind="dialog", reply="はい。")
    sit = record(3, transcript="座って", reading="スワッテ", route="hotpath", kind="action", steps=(Step(SIT, "座る"),),
                 refused=(RefusedStep(FLIP, "宙返り"),), reply="座ります。", timings_ms={"decide": 1.0})  # fmt: skip
    out = recording_json("a.wav", [mumble, praise, sit])
    assert out["transcript"] == out["text"] == "あー いい子 座って"
    assert out["reading"] == "アー イイコ スワッテ"
    assert (out["route"], out["dropped"], out["utterances"]) == ("hotpath", None, 3)
    assert ([a["name"] for a in out["actions"]], [a["name"] for a in out["refused"]]) == (["Sit"], ["FrontFlip"])
    assert (out["reply"], out["timings_ms"]) == ("はい。座ります。", {"decide": 1.0})
    assert recording_json("a.wav", [mumble, praise])["route"] == "fallback"
    assert recording_json("a.wav", [mumble])["dropped"] == "out of vocabulary"


def test_nothing_heard_has_the_same_keys() -> None:
    """Silence is an object like any other, and says that it is silence."""
    nothing, something = recording_json("a.wav", []), recording_json("a.wav", [record(1)])
    assert set(nothing) == set(something)
    assert (nothing["dropped"], nothing["utterances"], nothing["timings_ms"]) == ("silence", 0, {"decide": 0.0})
    json.dumps(nothing, allow_nan=False)


@pytest.mark.parametrize("text", ["-1", "101", "x", "", "1.5", "nan"])
def test_a_battery_is_a_whole_percentage(text: str) -> None:
    """What is none is refused by argparse, with the range."""
    with pytest.raises((argparse.ArgumentTypeError, ValueError)):
        options.battery(text)
    assert (options.battery("0"), options.battery("100")) == (0, 100)


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    options.add_config(parser)
    options.add_robot(parser)
    return parser.parse_args(argv)


def test_the_robot_is_as_the_options_say() -> None:
    """Engine, posture and charge."""
    clock = JumpClock()
    robot = options.robot_of(parsed("--posture", "lying", "--battery", "7"), clock, Settings())
    assert (robot.name, robot.state().posture, robot.state().battery) == ("sim", Posture.LYING, 7)
    assert options.robot_of(parsed("--robot", "none"), clock, Settings()).name == "none"


def test_high_risk_is_a_setting_like_any_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The option sets `robot.allow_high_risk`; without it the configuration decides."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not options.settings_of(parsed()).robot.allow_high_risk
    assert options.settings_of(parsed("--allow-high-risk")).robot.allow_high_risk
    assert options.settings_of(parsed("--set", "robot.allow_high_risk=true")).robot.allow_high_risk


@pytest.mark.parametrize(
    ("mode", "engine", "asked_for"),
    [("auto", "sim", False), ("auto", "go2", True), ("on", "sim", True), ("off", "go2", False)],
)
def test_who_is_asked_for_the_name(mode: str, engine: str, asked_for: bool) -> None:
    """`auto` asks for it with a real robot only; fillers before the name are understood as people say them."""
    gate = wake_gate(settings_with(wake={"mode": mode}, robot={"engine": engine}))
    assert gate.admit(reading("座って"), 0.0) is not asked_for
    for text in (
        "クラウディア、座って",
        "ねえクラちゃん、座って",
        "えーと、クラウディア",
        "ねえねえクラウディアちゃん",
    ):
        assert gate.admit(reading(text), 0.0), text


def test_where_state_is_kept() -> None:
    """systemd's directory (the first of several), else XDG's, else the home's."""
    assert state_directory({"STATE_DIRECTORY": "/var/lib/claudia:/x"}) == Path("/var/lib/claudia")
    assert state_directory({"XDG_STATE_HOME": "/s"}) == Path("/s/claudia")
    assert state_directory({}) == Path.home() / ".local" / "state" / "claudia"


def test_a_question_finds_the_log_of_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own comes first, and what the settings name before both; without a service it is their own."""
    system, own = tmp_path / "system", tmp_path / "own"
    monkeypatch.setenv("STATE_DIRECTORY", str(own))
    assert audit_to_read(Settings(), system) == own
    system.mkdir()
    assert audit_to_read(Settings(), system) == system
    assert audit_to_read(settings_with(audit={"directory": "/x"}), system) == Path("/x")
    own.mkdir()
    (own / "audit.jsonl").touch()
    assert audit_to_read(Settings(), system) == own


def test_a_real_robot_is_never_simulated(no_sdk: None) -> None:
    """`go2` without the SDK is an error that says how to get it; `sim` and `none` open."""
    clock = JumpClock()
    with pytest.raises(
        EngineMissing, match=r"unitree_sdk2py, which is not installed: run `sudo ./install.sh --robot IFACE`"
    ):
        open_robot(settings_with(robot={"engine": "go2"}), clock)
    with pytest.raises(EngineMissing):
        options.robot_of(parsed("--robot", "go2"), clock, Settings())
    assert open_robot(Settings(), clock).name == "sim"
    assert open_robot(settings_with(robot={"engine": "none"}), clock).name == "none"


def test_the_shipped_script_is_a_conversation() -> None:
    """Eight turns or more: a command, a sequence, praise, a question, a stop in motion, a refusal, a mumble."""
    script = load_script()
    known = registry.load()
    assert len(script) >= 8
    assert all(name in known for line in script for name in (*line.actions, *line.refused))
    assert any(len(line.actions) == 1 for line in script)
    assert any(len(line.actions) > 1 for line in script)
    assert any(line.reply and not line.actions and not line.refused for line in script)
    assert any(line.stopped and line.after is not None and line.actions == ("stop",) for line in script)
    assert any("Flip" in name for line in script for name in line.refused)
    assert any(line.mumble and line.dropped for line in script)


@pytest.mark.parametrize(
    "text",
    ["", "turn = 3", "[[turn]]\nsai = 'x'", "[[turn]]\nactions = []", "[[turn]]\nsay = 'x'\nafter = 'soon'", "[["],
)
def test_what_is_no_script_is_said(tmp_path: Path, text: str) -> None:
    """Unknown and missing keys, wrong values and broken TOML are one line with the file's name."""
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(DataError, match=r"s\.toml"):
        load_script(tmp_path / "s.toml")
    with pytest.raises(DataError, match="not a demo script"):
        load_script(tmp_path / "none.toml")


DONE = Step(SIT, "座る", "done")
LINE = Line(say="座って", actions=("Sit",))


@pytest.mark.parametrize(
    ("line", "records", "before", "expected"),
    [
        (LINE, [record(1, steps=(DONE,))], [], []),
        (LINE, [], [], ["nothing was heard"]),
        (LINE, [record(1)], [], ["actions [], expected ['Sit']"]),
        (LINE, [record(1, steps=(DONE, DONE))], [], ["actions ['Sit', 'Sit'], expected ['Sit']"]),
        (LINE, [record(1, steps=(Step(SIT, "座る", "unknown"),))], [], ["not done: 座る"]),
        (LINE, [record(1, steps=(DONE,), refused=(RefusedStep(FLIP, "宙返り"),))], [],
         ["refused ['FrontFlip'], expected []"]),
        (Line(say="", dropped=True), [], [], []),
        (Line(say="", dropped=True), [record(1, dropped="silence")], [], []),
        (Line(say="", dropped=True), [record(1, steps=(DONE,))], [], ["moved: Sit", "was not dropped"]),
        (Line(say="", reply=True), [record(1, reply="はい。")], [], ["nothing was answered"]),
        (Line(say="", reply=True), [record(1, spoken="はい。")], [], []),
        (Line(say="", stopped=True), [record(2)], [record(1, steps=(Step(SIT, "座る", "stopped"),))], []),
        (Line(say="", stopped=True), [record(2)], [record(1, steps=(DONE,))],
         ["the motion before it was not cut short"]),
    ],
)  # fmt: skip
def test_the_demo_judges_what_came_of_a_line(
    line: Line, records: list[TurnRecord], before: list[TurnRecord], expected: list[str]
) -> None:
    """Each expectation of the script that was not met is one fault, and only those."""
    assert faults(line, records, before) == expected
