"""How much an utterance asks for, and which prompt it gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain.tables import rows
from claudiad.errors import DataError
from claudiad.llm.request_class import PromptKind, RequestClass, choose_kind, classify, load_classes
from claudiad.robot import registry
from claudiad.types import Posture, RobotState

STANDING = RobotState(Posture.STANDING, 80)
DANCING = replace(STANDING, running="Dance1")
REQUESTS = [cells for _, cells in rows(Path(__file__).parent / "data" / "requests.tsv", 3)]


def test_the_list_is_as_large_as_it_should_be() -> None:
    """Sixty utterances at least, of every class and kind that words alone decide."""
    assert len(REQUESTS) >= 60
    assert {wanted for _, wanted, _ in REQUESTS} == set(RequestClass)
    assert {kind for *_, kind in REQUESTS} == set(PromptKind) - {PromptKind.EMERGENCY}


@pytest.mark.parametrize(("text", "wanted", "kind"), REQUESTS)
def test_a_request_is_known_by_its_words(text: str, wanted: str, kind: str) -> None:
    """Class and kind, in writing and as the embedded recogniser writes it."""
    assert (classify(text), choose_kind(text, STANDING, after_stop=False)) == (wanted, kind)


def test_what_is_long_is_complex() -> None:
    """However simple its words."""
    assert classify("今日は朝からとても天気がよくて気持ちのいい一日だったよ") is RequestClass.COMPLEX


@pytest.mark.parametrize("text", [each[0] for each in REQUESTS])
def test_after_a_stop_everything_is_a_follow_up(text: str) -> None:
    """Also a command: nothing moves because a model says so."""
    assert choose_kind(text, STANDING, after_stop=True) is PromptKind.EMERGENCY


@pytest.mark.parametrize("text", ["もっと", "もう少しゆっくり", "上手に"])
def test_while_it_does_something_a_short_word_is_about_that(text: str) -> None:
    """もっと is a command to a robot that dances, and talk to one that stands."""
    assert choose_kind(text, DANCING, after_stop=False) is PromptKind.COMMAND
    assert choose_kind(text, STANDING, after_stop=False) is PromptKind.DIALOG


@pytest.mark.parametrize("name", [name for name, spec in registry.load().items() if not spec.internal])
def test_every_registered_action_is_known_by_its_title(name: str) -> None:
    """A new one is a command without a line in a table."""
    title = registry.load()[name].title
    assert choose_kind(f"{title}のは得意かい", STANDING, after_stop=False) is PromptKind.COMMAND


@given(st.text(max_size=80))
def test_anything_has_a_class_and_a_kind(text: str) -> None:
    """Nothing raises."""
    assert classify(text) in RequestClass
    assert choose_kind(text, STANDING, after_stop=False) in PromptKind


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# c\ngreeting\tやあ\tx\n", ":2: 3 columns"),
        ("salute\tやあ\n", ":1: unknown kind 'salute'"),
        ("greeting\t{やあ,。}\n", ":1: '。' has no reading"),
    ],
)
def test_a_faulty_table_names_the_line(text: str, fault: str, tmp_path: Path) -> None:
    """The message begins with the file and the line of the fault."""
    path = tmp_path / "table.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        load_classes(path)
    assert str(error.value).startswith(f"{path}{fault}")
