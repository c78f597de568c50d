"""Whole utterances through the router, written and as pronounced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claudiad.types import Decision
from tests.brain.conftest import calls, lines, pronounced

COMMANDS = [line.split("\t") for line in lines("commands.tsv")]
TRAPS = list(lines("traps.txt"))
EVERYDAY = list(lines("everyday.txt"))
SPOKEN = [row for row in COMMANDS if not row[0].isascii() and row[0] not in ("坐下", "站起来", "你好")]
Decide = Callable[[str], Decision]


def test_the_sets_are_as_large_as_they_should_be() -> None:
    """The tables that judge the router do not shrink unnoticed."""
    assert len(COMMANDS) >= 150
    assert len(TRAPS) >= 80
    assert len(EVERYDAY) >= 100


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row[0])
def test_a_command_does_what_it_says(row: list[str], decide: Decide) -> None:
    """A written command gives exactly its actions, in order, with their parameters."""
    assert calls(decide(row[0])) == row[1]


@pytest.mark.parametrize("row", SPOKEN, ids=lambda row: row[0])
def test_a_command_as_pronounced_does_the_same(row: list[str], decide: Decide) -> None:
    """The unbroken katakana of the recogniser gives the same actions as the written text."""
    spoken = row[2] if len(row) > 2 else pronounced(row[0])
    assert calls(decide(spoken)) == row[1]


@pytest.mark.parametrize("text", TRAPS)
@pytest.mark.parametrize("form", ["written", "pronounced"])
def test_a_trap_moves_nothing(text: str, form: str, decide: Decide) -> None:
    """Negations, questions, reports, wishes, idioms and compounds neither move nor stop the robot."""
    decision = decide(text if form == "written" else pronounced(text))
    assert decision.actions == ()
    assert not decision.latch
    assert decision.reply


def test_everyday_sentences_move_nothing(decide: Decide) -> None:
    """Ordinary talk in the room is answered or ignored, never acted on."""
    moved = [t for text in EVERYDAY for t in (text, pronounced(text)) if decide(t).actions]
    assert moved == []
