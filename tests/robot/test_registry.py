"""The table of actions."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from claudiad.errors import DataError
from claudiad.robot import registry
from claudiad.robot.registry import parse
from claudiad.types import Posture

SOURCE = (resources.files("claudiad.data") / "actions.toml").read_text(encoding="utf-8")

SDK_IDS = {  # docs/facts.md; 1033 is the one older firmware knows
    "Damp": 1001, "BalanceStand": 1002, "stop": 1003, "StandUp": 1004, "StandDown": 1005, "RecoveryStand": 1006,
    "Euler": 1007, "move": 1008, "Sit": 1009, "RiseSit": 1010, "Hello": 1016, "Stretch": 1017, "Content": 1020,
    "Dance1": 1022, "Dance2": 1023, "Pose": 1028, "Scrape": 1029, "SpeedLevel": 1015,
    "FrontFlip": 1030, "FrontJump": 1031,
    "FrontPounce": 1032, "WiggleHips": 1033, "Heart": 1036, "StaticWalk": 1061, "TrotRun": 1062, "EconomicGait": 1063,
    "LeftFlip": 2041, "BackFlip": 2043, "HandStand": 2044, "FreeWalk": 2045, "FreeBound": 2046, "FreeJump": 2047,
    "FreeAvoid": 2048, "ClassicWalk": 2049, "WalkUpright": 2050, "CrossStep": 2051,
    "SwitchJoystick": 1027, "AutoRecoverySet": 2054, "AutoRecoveryGet": 2055, "SwitchAvoidMode": 2058,
}  # fmt: skip

STOP_WORDS = ("停止", "止ま", "止め", "とまれ", "ストップ", "待って", "待て", "やめ", "動くな", "動かないで")


def test_the_table_has_the_ids_of_the_sdk() -> None:
    """Every action has the id the SDK gives to its name; StopMove and Move have the contract's names."""
    sport = {name: spec.api_id for name, spec in registry.load().items() if spec.service == "sport"}
    assert sport == SDK_IDS


def test_the_camera_is_a_service_of_its_own() -> None:
    """A picture has the id that is Damp in the sport service: only the service tells them apart."""
    other = {name: (spec.service, spec.api_id) for name, spec in registry.load().items() if spec.service != "sport"}
    assert other == {"Photo": ("videohub", 1001)}


def test_a_picture_is_right_whatever_the_robot_is_doing() -> None:
    """It moves nothing: every posture, every charge, and the posture stays."""
    photo = registry.load()["Photo"]
    assert photo.needs == frozenset(Posture)
    assert (photo.gives, photo.low_battery, photo.dangerous, dict(photo.params)) == (None, True, False, {})


@pytest.mark.parametrize("name", sorted(registry.load()))
def test_a_reply_is_japanese_without_a_stop_word(name: str) -> None:
    """What is said for an action is kana and kanji, and cannot stop the robot when it hears itself."""
    spec = registry.load()[name]
    assert re.fullmatch(r"[ぁ-んァ-ヶー一-龠]+。", spec.reply)
    assert re.fullmatch(r"[ぁ-んァ-ヶー一-龠]+", spec.title)
    if name != "stop":
        assert not [word for word in STOP_WORDS if word in spec.reply + spec.title]


def test_the_dangerous_ones() -> None:
    """What leaves the ground or stands on two legs is dangerous, and nothing else."""
    assert {spec.api_id for spec in registry.load().values() if spec.dangerous} == {
        1030, 1031, 1032, 2041, 2043, 2044, 2046, 2047, 2050,
    }  # fmt: skip


def test_only_stop_and_what_is_right_from_any_posture_starts_from_an_unknown_one() -> None:
    """From an unknown posture the robot is stopped, lowered or recovered, and may take a picture."""
    free = {spec.name for spec in registry.load().values() if Posture.UNKNOWN in spec.needs}
    assert free == {"stop", "StandDown", "RecoveryStand", "Photo"}


def test_switches_are_known_and_nobody_can_ask_for_them() -> None:
    """The remote control stays with the person: neither words nor a language model reach these."""
    switches = {name for name, spec in registry.load().items() if spec.internal}
    assert switches == {"SwitchJoystick", "AutoRecoverySet", "AutoRecoveryGet", "SwitchAvoidMode"}
    assert not switches & set(registry.askable(registry.load()))
    assert len(registry.askable(registry.load())) == len(registry.load()) - 4


def test_the_table_cannot_be_changed() -> None:
    """Neither the table nor a row nor a row's parameters can be assigned to."""
    table = registry.load()
    with pytest.raises(TypeError):
        table["Sit"] = table["stop"]  # type: ignore[index]
    with pytest.raises(TypeError):
        table["move"].params["x"] = table["move"].params["y"]  # type: ignore[index]
    with pytest.raises(ValueError, match="frozen"):
        table["BackFlip"].dangerous = False  # type: ignore[misc]


def _line_of(text: str, table: str, key: str) -> int:
    rows = text.splitlines()
    start = rows.index(f"[{table}]")
    return next(n for n in range(start, len(rows)) if rows[n].startswith(key)) + 1


@pytest.mark.parametrize(
    ("table", "old", "new", "says"),
    [
        ("Sit", "api_id = 1009", "api_id = 1016", "already belongs|id"),
        ("Sit", "api_id = 1009", "api_id = 12", "greater than or equal"),
        ("Sit", 'class = "safe"', 'class = "calm"', "safe"),
        ("Sit", 'reply = "座ります。"', 'reply = "座ります"', "ends with"),
        ("Sit", "duration_s = 1.5", "duration_s = nan", "greater|less"),
        ("Sit", "duration_s = 1.5", "duration_s = 0.0", "greater"),
        ("Sit", "low_battery = true", "low_batery = true", "Extra"),
        ("Sit", 'needs = ["standing", "sitting"]', 'needs = ["upright"]', "standing"),
        ("Sit", 'needs = ["standing", "sitting"]', "needs = []", "at least 1"),
        ("stop", "api_id = 1003", "api_id = 1999", "its id is 1003"),
        ("Photo", 'service = "videohub"', 'service = "camera"', "videohub"),
        ("Photo", 'service = "videohub"\napi_id', "api_id", "already belongs to Damp"),
        ("stop", "api_id = 1003", 'service = "videohub"\napi_id = 1003', "its service is sport"),
        ("move.params.x", "min = -20.0", "min = nan", "finite"),
        ("move.params.x", "min = -20.0", "min = 20.0", "min < max"),
        ("move.params.x", 'unit = "m"', 'unit = "km"', "rad"),
        ("Pose.params.data", "default = true", "default = 1.0", "flag"),
    ],
)
def test_a_fault_is_reported_with_its_line(table: str, old: str, new: str, says: str) -> None:
    """A malformed row is a DataError that names file, line and what is wrong."""
    head, found, tail = SOURCE.partition(f"[{table}]\n")
    assert found
    assert old in tail
    text = head + found + tail.replace(old, new, 1)
    if table == "Sit" and says.startswith(
        "already"
    ):  # hello comes later in the file: the second owner of an id is the fault
        expected = _line_of(text, "Hello", "api_id")
    else:
        expected = _line_of(text, table, new.partition(" =")[0])
    with pytest.raises(DataError, match=says) as caught:
        parse(text, "t.toml")
    line = int(str(caught.value).split(":")[1])
    # A rule between two keys of one table is reported at the table.
    assert line in (expected, SOURCE.splitlines().index(f"[{table}]") + 1)
    assert str(caught.value).startswith("t.toml:")


def test_dangerous_and_acrobatic_go_together() -> None:
    """A flip cannot be declared harmless by leaving one of its two marks out."""
    with pytest.raises(DataError, match="go together"):
        parse(SOURCE.replace("dangerous = true\n", "", 1), "t.toml")


@pytest.mark.parametrize("name", ["stop", "move", "StandUp", "StandDown", "Damp"])
def test_what_the_code_relies_on_cannot_be_missing(name: str) -> None:
    """A table without the actions safety and stop need is refused."""
    with pytest.raises(DataError, match=f"missing: {name}$"):
        parse(SOURCE.replace(f"[{name}]\n", f"[{name}x]\n").replace(f"[{name}.", f"[{name}x."), "t.toml")


@pytest.mark.parametrize(("text", "where"), [("[sit\n", "t.toml:1:"), ("x = 1\n", "t.toml:1: x"), ("", "t.toml:1:")])
def test_what_is_no_table_is_refused(text: str, where: str) -> None:
    """Broken TOML, a bare key and an empty file are DataErrors."""
    with pytest.raises(DataError, match="^" + re.escape(where)):
        parse(text, "t.toml")


def test_load_file_reads_a_table_from_disk(tmp_path: Path) -> None:
    """A table elsewhere is read by the same rules."""
    path = tmp_path / "mine.toml"
    path.write_text(SOURCE, encoding="utf-8")
    assert registry.load_file(path) == registry.load()
