"""What of a model's reply may reach the voice."""

from __future__ import annotations

from functools import cache

import pytest

from claudiad.app.parts import brain_tables
from claudiad.brain.emergency import StopFinder
from claudiad.brain.tables import DATA, rows
from claudiad.config import Settings
from claudiad.llm.speakable import speakable
from claudiad.robot import registry


@cache
def stops() -> StopFinder:
    return brain_tables(Settings(), registry.load()).stops


@pytest.mark.parametrize(("written", "instead"), [row for _, row in rows(DATA / "rewording.tsv", 2)])
def test_each_row_of_the_table_is_needed_and_cures(written: str, instead: str) -> None:
    """What stands on the left would stop the robot, what stands on the right does not."""
    assert stops().find_stop(written, moving=True) is not None
    assert stops().find_stop(instead, moving=True) is None
    assert speakable(written + "。", stops()).text == instead + "。"


def test_a_stop_that_cannot_be_reworded_is_left_out() -> None:
    """Rather nothing than a robot that stops itself."""
    said = speakable("では、待って。", stops())
    assert (said.text, said.repairs) == ("", ("stop word",))


def test_clean_words_are_left_alone() -> None:
    """An ordinary sentence comes out as it went in."""
    said = speakable("はい、一緒に歩きましょう。", stops())
    assert said.text == "はい、一緒に歩きましょう。"
    assert said.clean
