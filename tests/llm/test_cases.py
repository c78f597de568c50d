"""The cases for comparing models: what a table may say, and what counts as right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.app.cmd_bench import CASES
from claudiad.app.language_models import choosable
from claudiad.errors import DataError
from claudiad.llm.cases import Case, load_cases
from claudiad.llm.request_class import PromptKind
from claudiad.robot import registry
from claudiad.types import Action

REGISTRY = registry.load()
CHOOSABLE = {name: REGISTRY[name] for name in choosable(REGISTRY, allow_high_risk=False)}


def written(tmp_path: Path, *lines: str) -> tuple[Case, ...]:
    path = tmp_path / "cases.tsv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return load_cases(path, CHOOSABLE)


def case(tmp_path: Path, expected: str) -> Case:
    return written(tmp_path, f"何か\t{expected}")[0]


def done(*names: str, **params: float) -> list[Action]:
    return [Action(name, REGISTRY[name].api_id, params) for name in names]


def test_the_cases_that_come_with_the_program_are_sound() -> None:
    """At least 40, all different, every kind of answer among them, and what people always try."""
    cases = load_cases(CASES, CHOOSABLE)
    texts = [each.text for each in cases]
    assert len(cases) >= 40
    assert len(set(texts)) == len(texts)
    assert {"立ってそして挨拶して", "可愛い動作して", "疲れた"} <= set(texts)
    assert sum(each.is_sequence for each in cases) >= 5
    assert sum(each.expected == ((),) for each in cases) >= 10
    assert PromptKind.EMERGENCY in {each.kind for each in cases}


def test_a_line_is_words_actions_and_kind(tmp_path: Path) -> None:
    """Comments and empty lines are none."""
    first, second = written(tmp_path, "# a comment", "立って挨拶して\tStandUp  Hello", "", "疲れた\tSit|-\temergency")
    assert first == Case(2, "立って挨拶して", (("StandUp", "Hello"),), None)
    assert second == Case(4, "疲れた", (("Sit",), ()), PromptKind.EMERGENCY)
    assert (first.is_sequence, second.is_sequence) == (True, False)
    assert (first.written, second.written) == ("StandUp Hello", "Sit | -")


@pytest.mark.parametrize(
    ("expected", "actions", "right"),
    [
        ("StandUp Hello", done("StandUp", "Hello"), True),
        ("StandUp Hello", done("Hello", "StandUp"), False),
        ("StandUp Hello", done("StandUp"), False),
        ("-", [], True),
        ("-", done("Hello"), False),
        ("*", done("Heart"), True),
        ("*", done("Content", "Hello"), True),
        ("*", done("Heart", "Sit"), False),
        ("*", [], False),
        ("Sit | -", [], True),
        ("Sit | -", done("Sit"), True),
        ("move", done("move", x=-1.0), True),
        ("move:x-", done("move", x=-0.3, y=0.0, yaw=0.0), True),
        ("move:x-", done("move", x=0.3), False),
        ("move:yaw+", done("move", x=0.3), False),
        ("move:yaw+", done("Sit"), False),
    ],
)
def test_what_is_right(tmp_path: Path, expected: str, actions: list[Action], right: bool) -> None:
    """The same actions in the same order, any gesture, or one of several; a direction where one is asked for."""
    assert case(tmp_path, expected).right(actions, REGISTRY) is right


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("立って", "1 columns"),
        ("立って\tStandUp\tdialog\tmore", "4 columns"),
        ("\tStandUp", "the words are missing"),
        ("立って\t", "the actions are missing"),
        ("立って\tSit |", "the actions are missing"),
        ("立って\tStandUpp", "StandUpp: no action that a model may choose"),
        ("止まって\tstop", "stop: no action"),
        ("飛んで\tFrontFlip", "FrontFlip: no action"),
        ("進んで\tmove:z+", "move:z"),
        ("立って\tStandUp *", "[*]: no action"),
        ("立って\tStandUp\tchat", "unknown kind 'chat'"),
    ],
)
def test_a_fault_has_its_line(tmp_path: Path, line: str, fault: str) -> None:
    """File and line come first."""
    with pytest.raises(DataError, match=rf"cases\.tsv:2: .*{fault}".replace("+", r"\+")):
        written(tmp_path, "# cases", line)


def test_a_table_without_a_case_is_a_fault(tmp_path: Path) -> None:
    """As is one that is not there."""
    with pytest.raises(DataError, match=r"cases\.tsv:1: there is no case"):
        written(tmp_path, "# nothing")
    with pytest.raises(DataError, match=r"nowhere\.tsv:0: cannot be read"):
        load_cases(tmp_path / "nowhere.tsv", CHOOSABLE)


@given(st.text(max_size=60))
def test_whatever_a_line_holds_it_is_a_case_or_a_fault(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    """Nothing else comes out."""
    path = tmp_path_factory.mktemp("cases") / "cases.tsv"
    path.write_text(line, encoding="utf-8", errors="replace")
    try:
        cases, said = load_cases(path, CHOOSABLE), ""
    except DataError as fault:
        cases, said = (), str(fault)
    assert said.startswith(f"{path}:") if not cases else all(each.text and each.expected for each in cases)
