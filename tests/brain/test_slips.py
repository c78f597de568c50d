"""Slips of the tongue: words begun twice or broken off, sounds lost or voiced; what they are and what they are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain import slips
from claudiad.types import Decision
from tests.brain.conftest import STANDING, calls

Decide = Callable[[str], Decision]

KANA = st.text("アオカガクコゴシスタテデトフワッンー", max_size=14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("え座っ座って", "Sit"),
        ("立っ立って", "StandUp"),
        ("起き起きて", "StandUp"),
        ("え、あの、ふ、伏せて", "StandDown"),
        ("おど、踊ってください", "Dance1"),
        ("お座りりして", "Sit"),
        ("座っ下さい", "Sit"),
        ("立ってくだい", "StandUp"),
        ("踊てくださ", "Dance1"),
        ("おどっ下さい", "Dance1"),
        ("はやぐ起ぎろ", "StandUp"),
        ("疲れだべ、寝でけろ", "StandDown"),
        ("立って、あ、あいさつして", "StandUp | Hello"),
    ],
)
def test_what_was_begun_is_understood(text: str, expected: str, decide: Decide) -> None:
    """The slip makes no difference where everything is known without it."""
    assert calls(decide(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "立ったって",  # he says that he stood up
        "大きい",  # not a lengthened 起きい
        "一歩一歩進んで",  # a manner, not a step said twice
        "人人って書いて",
        "出てって",
        "もも、桃を食べて",
        "だだをこねて",
    ],
)
def test_what_only_looks_like_a_slip_moves_nothing(text: str, decide: Decide) -> None:
    """Doubled sounds that belong to the word."""
    assert decide(text).actions == ()


def test_a_doubled_number_is_no_slip() -> None:
    """二十二十 may be two numbers."""
    assert slips.written_twice("二十二十度回って") is None
    assert slips.written_twice("起き起きて") == "起きて"
    assert slips.written_twice("とまとま") is None, "without kanji nothing is proved"


def test_a_fragment_is_shorter_than_what_follows() -> None:
    """寒い、寒い is said twice, and no word was broken off."""
    assert slips.broken_off(["フ", "フセテ", "フセテ"]) == [0]
    assert slips.broken_off(["サムイ", "サムイ"]) == []
    assert slips.broken_off(["スワッテ", "スワッテテ"]) == [], "four kana are a word"


@given(KANA)
def test_proposals_are_other_keys_and_few(key: str) -> None:
    """Never the key itself, never the same twice, and no more than its places allow."""
    said = list(slips.unstuttered(key))
    voiced = list(slips.unvoiced(key))
    assert key not in said
    assert key not in voiced
    assert len(said) == len(set(said)) <= 2 * len(key)
    assert all(len(v) == len(key) and v[:1] == key[:1] for v in voiced)
    assert len(voiced) <= len(key) + 1


def test_a_stop_with_a_slip_is_a_stop(decide: Decide) -> None:
    """Doubled or broken off, it still ends everything."""
    for text in ("止ま止まって", "と、とまって", "緊急停し", "とまままって"):
        assert calls(decide(text)).startswith("stop"), text
    assert STANDING.running is None
