"""The lists of utterances: what is read from them, how a decision is judged, and `bench.brain` around it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench import brain
from bench.utterances import (
    GOALS,
    Line,
    Tally,
    by_category,
    judge,
    load_utterances,
    score,
    tally,
    totals,
    written,
)
from claudiad.app.parts import brain_tables
from claudiad.brain.kana import shorten
from claudiad.brain.phrases import load_phrases
from claudiad.brain.reading import reading
from claudiad.brain.router import Router, load_tables
from claudiad.config import Settings
from claudiad.errors import DataError
from claudiad.robot.registry import load as load_registry
from claudiad.types import Action, Decision, RobotState

REGISTRY = load_registry()
NUMBERS = {name: spec.api_id for name, spec in REGISTRY.items()}
Value = float | int | bool
SAMPLE = (
    "# a comment\n"
    "sit\tお座り\tSit\n"
    "sequence\t立って挨拶して\tStandUp | Hello\n"
    "sequence\t電車が[red]止まっている\tSit / Hello\n"
    "negation\t座らないで\t-\n"
    "trap\t役に立つ\t-\n"
    "emergency\t緊急停止\tstop\tDance1\n"
)


def listed(folder: Path, text: str, name: str = "tune.tsv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def line(folder: Path, expected: str, category: str = "any") -> Line:
    """A list of one line, read."""
    (only,) = load_utterances(listed(folder, f"{category}\t何か\t{expected}\n"), REGISTRY)
    return only


def act(name: str, **params: Value) -> Action:
    return Action(name, NUMBERS[name], params)


def came(*actions: Action, latch: bool = False) -> Decision:
    """A decision with these actions."""
    return Decision("何か", "hotpath", "action" if actions else "dialog", actions, "はい。", 1.0, "a rule", latch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For properties, which cannot have a folder per example."""
    return tmp_path_factory.mktemp("lists")


def test_a_list_is_read_with_comments_and_what_the_robot_is_doing(tmp_path: Path) -> None:
    """Comments and empty lines are skipped, the fourth column is the action in progress, all else is standing still."""
    path = listed(tmp_path, "# c\n\nsit\t座って\tSit\nemergency\t止まって\tstop\tDance1\nstop\t待って\tstop\t\n")
    lines = load_utterances(path, REGISTRY)
    assert [(one.category, one.text, one.expected, one.running) for one in lines] == [
        ("sit", "座って", "Sit", None),
        ("emergency", "止まって", "stop", "Dance1"),
        ("stop", "待って", "stop", None),
    ]
    assert [one.state.running for one in lines] == [None, "Dance1", None]
    assert {one.state.posture for one in lines} == {"standing"}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("sit\t座って", "2 columns"),
        ("sit\t座って\tSit\tDance1\tx", "5 columns"),
        ("sit\t\tSit", "must not be empty"),
        ("sit\t座って\t\tDance1", "must not be empty"),
        ("sit\t座って\tFly", "unknown action 'Fly'"),
        ("sit\t座って\tSit / Fly", "unknown action 'Fly'"),
        ("sit\t座って\tSit|Hello", "unknown action 'Sit|Hello'"),
        ("sit\t座って\tSit | -", "`-` stands alone"),
        ("sit\t座って\tSit |  | Hello", "unknown action '|'"),
        ("sit\t座って\t/ Sit", "unknown action '/'"),
        ("go\t前へ\tmove x", "parameter 'x'"),
        ("go\t前へ\tmove z=1", "move has no parameter z"),
        ("go\t前へ\tmove x=far", "'far'"),
        ("go\t前へ\tmove x=nan", "'nan'"),
        ("sit\t座って\tSit latch", "parameter 'latch'"),
        ("stop\t止まって\tstop\tFly", "cannot be doing 'Fly'"),
    ],
)
def test_a_faulty_line_is_named(row: str, fault: str, tmp_path: Path) -> None:
    """The message begins with the file and the line, and says what is wrong."""
    path = listed(tmp_path, f"# c\nsit\t座って\tSit\n{row}\n")
    with pytest.raises(DataError) as error:
        load_utterances(path, REGISTRY)
    assert str(error.value).startswith(f"{path}:3: ")
    assert fault in str(error.value)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    """The message names the file that is not there."""
    with pytest.raises(DataError, match=r"none\.tsv:0: cannot be read"):
        load_utterances(tmp_path / "none.tsv", REGISTRY)


@pytest.mark.parametrize(
    ("expected", "got", "verdict"),
    [
        ("Sit", (act("Sit"),), "right"),
        ("Sit", (), "asked"),
        ("Sit", (act("Hello"),), "wrong"),
        ("Sit", (act("Sit"), act("Sit")), "wrong"),
        ("StandUp | Hello", (act("StandUp"), act("Hello")), "right"),
        ("StandUp | Hello", (act("Hello"), act("StandUp")), "wrong"),
        ("StandUp | Hello", (act("StandUp"),), "wrong"),
        ("Sit / StandUp | Hello", (act("Sit"),), "right"),
        ("Sit / StandUp | Hello", (act("StandUp"), act("Hello")), "right"),
        ("Sit / StandUp | Hello", (act("Sit"), act("Hello")), "wrong"),
        ("-", (), "right"),
        ("-", (act("Sit"),), "moved"),
        ("-", (act("stop"),), "moved"),
        ("- / Sit", (), "right"),
        ("- / Sit", (act("Sit"),), "right"),
        ("- / Sit", (act("Hello"),), "wrong"),
        ("move x=1", (act("move", x=1.0),), "right"),
        ("move x=1", (act("move", x=-1.0),), "wrong"),
        ("move x=1", (act("move", y=1.0),), "wrong"),
        ("move x=1", (act("move", x=1.0, y=0.0),), "right"),
        ("move x=1", (act("move", x=1.0, y=0.3),), "wrong"),
        ("move x=1 y=0", (act("move", x=1.0),), "right"),
        ("move yaw=6.28", (act("move", yaw=6.2832),), "right"),
        ("Pose data=true", (act("Pose", data=True),), "right"),
        ("Pose data=true", (act("Pose"),), "right"),
        ("Pose", (act("Pose", data=True),), "right"),
        ("Pose", (act("Pose", data=False),), "wrong"),
        ("Pose data=true", (act("Pose", data=False),), "wrong"),
        ("Pose data=true", (act("Pose", data=1),), "wrong"),
        ("SpeedLevel data=-1", (act("SpeedLevel", data=-1),), "right"),
        ("SpeedLevel data=-1", (act("SpeedLevel", data=1),), "wrong"),
        ("SpeedLevel data=0", (act("SpeedLevel"),), "right"),
        ("SpeedLevel", (act("SpeedLevel", data=1),), "wrong"),
    ],
)
def test_a_decision_is_judged(expected: str, got: tuple[Action, ...], verdict: str, tmp_path: Path) -> None:
    """Names exactly, in order, parameters closely; what is left out counts as zero, and `data` as true."""
    assert judge(line(tmp_path, expected), came(*got)) == verdict


@pytest.mark.parametrize(
    ("category", "expected", "latch", "verdict"),
    [
        ("emergency", "stop", False, "right"),
        ("emergency", "stop", True, "right"),
        ("emergency", "stop latch", True, "right"),
        ("emergency", "stop latch", False, "wrong"),
        ("stop", "stop", False, "right"),
        ("stop", "stop", True, "wrong"),
        ("stop", "stop latch", True, "right"),
        ("stop", "stop latch / stop", False, "right"),
    ],
)
def test_the_latch_matters_where_it_is_written_and_outside_emergencies(
    category: str, expected: str, latch: bool, verdict: str, tmp_path: Path
) -> None:
    """A plain `stop` in the category of emergencies leaves the latch open; everywhere else it means none."""
    assert judge(line(tmp_path, expected, category), came(act("stop"), latch=latch)) == verdict


@given(st.integers(-2000, 2000), st.integers(-100, 100))
def test_a_number_is_right_within_the_tolerance_only(folder: Path, millimetres: int, off: int) -> None:
    """Up to ten millimetres off are right, from twelve on wrong, whichever side, whatever the size."""
    assume(abs(off) != 11)  # there the binary fractions decide
    want, got = millimetres / 1000, (millimetres + off) / 1000
    verdict = judge(line(folder, f"move x={want}"), came(act("move", x=got)))
    assert verdict == ("right" if abs(off) < 11 else "wrong")


def test_tallies_add_up(tmp_path: Path) -> None:
    """Commands and the rest share all lines; emergencies are counted in their category as well."""
    rows = "sit\ta\tSit\nsit\tb\tSit\nsit\tc\tSit\ntrap\td\t-\ntrap\te\t-\nvague\tf\t- / Sit\nemergency\tg\tstop\n"
    lines = load_utterances(listed(tmp_path, rows), REGISTRY)
    out = dict(zip("abcdefg", [[act("Sit")], [], [act("Hello")], [], [act("Sit")], [], [act("stop")]], strict=True))
    asked: list[RobotState] = []

    def decide(text: str, state: RobotState) -> Decision:
        asked.append(state)
        return came(*out[text])

    scored = score(lines, decide)
    assert asked == [one.state for one in lines]
    assert tally(scored) == Tally(right=4, asked=1, wrong=1, moved=1)
    assert by_category(scored) == {
        "sit": Tally(right=1, asked=1, wrong=1),
        "trap": Tally(right=1, moved=1),
        "vague": Tally(right=1),
        "emergency": Tally(right=1),
    }
    assert totals(scored) == {
        "commands": Tally(right=3, asked=1, wrong=1),
        "traps and dialog": Tally(right=1, moved=1),
        "emergency": Tally(right=1),
    }


@pytest.mark.parametrize(
    ("total", "tally", "met"),
    [
        ("commands", Tally(right=92, asked=7, wrong=1), [True, True]),
        ("commands", Tally(right=91, asked=9), [False, True]),
        ("commands", Tally(right=98, wrong=2), [True, False]),
        ("traps and dialog", Tally(right=1000), [True]),
        ("traps and dialog", Tally(right=99_999, moved=1), [False]),
        ("emergency", Tally(right=7), [True]),
        ("emergency", Tally(right=99_999, asked=1), [False]),
        ("emergency", Tally(), [None]),
    ],
)
def test_goals_hold_at_their_ends_and_nothing_meets_no_goal(total: str, tally: Tally, met: list[bool | None]) -> None:
    """92 of 100 are 92 %, one motion is too many, and a total without lines is not measured."""
    assert [goal.met(tally) for goal in GOALS[total]] == met


def test_what_came_out_is_written_as_a_list_would(tmp_path: Path) -> None:
    """`written` can be read back, and is right by itself."""
    for decision in (
        came(),
        came(act("StandUp"), act("Hello")),
        came(act("move", x=0.3, y=-1.0)),
        came(act("Pose", data=False)),
        came(act("stop"), latch=True),
    ):
        assert judge(line(tmp_path, written(decision)), decision) == "right"


def test_the_larger_table_is_as_large_as_it_says_and_loads(tmp_path: Path) -> None:
    """Three times as many phrases, none of which sounds like another or like a shipped one."""
    shipped = brain_tables(Settings(), REGISTRY).phrases
    lines = brain.larger_table(3, shipped)
    keys = [shorten(reading(entry.split("\t")[0])) for entry in lines]
    assert len(set(keys)) == len(keys) == 2 * len(shipped.all)
    assert not {shorten(word.key) for word in shipped.words} & set(keys)
    path = listed(tmp_path, "\n".join(lines) + "\n", "own.tsv")
    assert len(load_tables(NUMBERS, [path]).phrases.all) == 3 * len(shipped.all)


def test_what_sounds_alike_is_left_out_of_the_larger_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phrase that is there already is not made again, and of two homophones only the first."""
    monkeypatch.setattr(brain, "THINGS", "窓 花 鼻")
    monkeypatch.setattr(brain, "DOINGS", "作って:作り")
    shipped = load_phrases([listed(tmp_path, "まどをつくって\tSit\tはい。\n")], NUMBERS)
    made = [entry.split("\t")[0] for entry in brain.larger_table(20, shipped)]
    assert "花を作って" in made
    assert not {"窓を作って", "鼻を作って"} & set(made)
    assert "赤い窓を作って" in made


def test_a_table_that_the_words_do_not_suffice_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No smaller table is measured under the name of a larger one."""
    monkeypatch.setattr(brain, "THINGS", "茶碗")
    with pytest.raises(ValueError, match="are needed"):
        brain.larger_table(40, brain_tables(Settings(), REGISTRY).phrases)


@given(st.integers(0, 2**32), st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4))
def test_random_faults_add_no_letters(seed: int, texts: list[str]) -> None:
    """Whatever is lost, doubled or cut, also down to nothing, what is left is made of the lists' letters."""
    letters = sorted({letter for text in texts for letter in text})
    assert set(brain.mutated(random.Random(seed), texts, letters)) <= set(letters)


def test_random_faults_come_from_the_seed_alone_and_change_texts() -> None:
    """Most of what is decided at random is in no list, and the next run decides the same."""
    one, again = (
        [brain.mutated(rng, ["立って挨拶して", "お座り"], "あいう") for _ in range(200)]
        for rng in (random.Random(1), random.Random(1))
    )
    assert one == again
    assert len(set(one)) > 100


def test_a_router_that_raises_is_reported_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision must never raise; if one does, the text to try again is in the report."""

    def broken(*_: object) -> Decision:
        raise IndexError

    monkeypatch.setattr(Router, "decide", broken)
    with pytest.raises(IndexError) as error:
        brain.named(Router(brain_tables(Settings(), REGISTRY)), "お座り", brain.STATES[1])
    assert error.value.__notes__ == ["while deciding 'お座り', running: Dance1"]


def test_everything_is_measured_and_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run at a small size judges both lists, times both tables, looks at memory, and exits 0 with goals missed."""
    monkeypatch.chdir(tmp_path)
    listed(tmp_path, SAMPLE)
    listed(tmp_path, "sit\tお座り\tSit\n", "closed.tsv")
    small = ["--folder", str(tmp_path), "--rounds", "2", "--times", "2", "--decisions", "30"]
    assert brain.main([*small, "--show"]) == 0
    said = capsys.readouterr().out
    assert "commands: right 75.0 % (goal ≥ 92 %: missed), wrong 0.0 % (goal ≤ 1 %: met)" in said
    assert "asked: sequence 「電車が[red]止まっている」 expected Sit / Hello, got - (fallback: no rule:" in said
    assert "2 times larger costs p50 " in said
    saved = json.loads((tmp_path / "build" / "bench-brain.json").read_text(encoding="utf-8"))
    assert saved["sets"]["tune"]["totals"]["commands"] == {"n": 4, "right": 3, "asked": 1, "wrong": 0, "moved": 0}
    assert saved["sets"]["closed"]["not_right"] == []
    assert saved["cost"]["larger"]["phrases"] == 2 * saved["cost"]["shipped"]["phrases"]
    assert saved["cost"]["larger"]["forms"] > saved["cost"]["shipped"]["forms"]
    assert saved["memory"]["decisions"] == 30


def test_bad_input_ends_with_65_and_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing list and a malformed one are one line on standard error, before anything is measured."""
    assert brain.main(["--folder", str(tmp_path), "--set", "closed"]) == 65
    assert str(tmp_path / "closed.tsv") in capsys.readouterr().err
    listed(tmp_path, "sit\t座って\tSit\nsit\t座って\tFly\n")
    assert brain.main(["--folder", str(tmp_path), "--set", "tune"]) == 65
    assert capsys.readouterr() == ("", f"{tmp_path / 'tune.tsv'}:2: unknown action 'Fly'\n")


def test_a_list_that_is_not_asked_for_need_not_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--set tune` reads, judges and saves only that one, and keeps its texts to itself without `--show`."""
    monkeypatch.chdir(tmp_path)
    listed(tmp_path, SAMPLE)
    monkeypatch.setattr(brain, "cost", lambda *_: brain.Cost(LOADED, LOADED, [1.0], [2.0]))
    assert brain.main(["--folder", str(tmp_path), "--set", "tune", "--times", "2", "--decisions", "1"]) == 0
    assert "電車" not in capsys.readouterr().out
    saved = (tmp_path / "build" / "bench-brain.json").read_text(encoding="utf-8")
    assert "電車" not in saved
    assert list(json.loads(saved)["sets"]) == ["tune"]


LOADED = brain.Loaded(1, 1, 0.1, 1.0)
