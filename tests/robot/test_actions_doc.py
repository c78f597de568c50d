"""docs/actions.md says what the table of actions says."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudiad.robot import actions_doc, registry
from claudiad.robot.actions_doc import ACTIONS_FILE, actions_md, main, shows


def row(name: str) -> list[str]:
    """The cells of one action."""
    [line] = [line for line in actions_md().splitlines() if line.startswith(f"| `{name}` |")]
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_the_shipped_file_is_the_generated_one() -> None:
    """docs/actions.md is up to date: python -m claudiad.robot.actions_doc --write."""
    assert ACTIONS_FILE.read_text(encoding="utf-8") == actions_md()


def test_every_action_has_one_row_with_every_cell() -> None:
    """In the table's order, each as wide as the head."""
    rows = [line for line in actions_md().splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == list(registry.load())
    assert {line.count("|") for line in rows} == {14}


def test_rows_say_what_the_table_says() -> None:
    """One plain row, one with parameters, one of another service, a dangerous and a legacy one."""
    low, dangerous, legacy = slice(10, 11), slice(11, 12), slice(12, 13)
    sit = row("Sit")
    assert sit[:10] == [
        *("`Sit`", "1009", "sport", "座る", "safe", "standing, sitting", "sitting", "", "1.5"),
        "posture becomes sitting",
    ]
    assert (sit[low], sit[dangerous], sit[legacy]) == (["yes"], [""], [""])
    assert row("move")[7] == "`x` -20 to 20 m (0); `y` -20 to 20 m (0); `yaw` -6.283 to 6.283 rad (0)"
    assert row("Pose")[7] == "`data` true or false (true)"
    assert row("SpeedLevel")[7] == "`data` -1 to 1 (0)"
    assert row("stop")[5] == "any"
    assert row("Photo")[2] == "videohub"
    assert row("BackFlip")[dangerous] == ["yes"]
    assert row("WiggleHips")[legacy] == ["yes"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stop", "velocity becomes 0, nothing runs"),
        ("move", "odometry"),
        ("StandUp", "posture becomes standing"),
        ("Damp", "posture becomes damped"),
        ("Hello", "state machine leaves 1006 (social tricks)"),
        ("Dance1", "state machine leaves 1006 (social tricks)"),
        ("FrontJump", "state machine leaves 1008 (jump)"),
        ("BackFlip", "state machine leaves the state it took up"),
        ("Euler", "the call's answer"),
        ("SpeedLevel", "the call's answer"),
        ("StaticWalk", "the call's answer"),
        ("TrotRun", "the call's answer"),
        ("Photo", "the call's answer"),
    ],
)
def test_how_completion_shows(name: str, expected: str) -> None:
    """Each kind of action has its own sign."""
    assert shows(registry.load()[name]) == expected


def test_write_renews_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--write replaces all of it."""
    monkeypatch.setattr(actions_doc, "ACTIONS_FILE", tmp_path / "actions.md")
    (tmp_path / "actions.md").write_text("stale words")
    assert main(["--write"]) == 0
    assert (tmp_path / "actions.md").read_text(encoding="utf-8") == actions_md()


def test_the_command_prints_or_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the file; with a wrong one its usage and status 64."""
    assert main([]) == 0
    assert capsys.readouterr().out == actions_md()
    assert main(["--wirte"]) == 64
    assert capsys.readouterr().err.startswith("usage: ")
