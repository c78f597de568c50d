"""How far a model's actions are believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.app.parts import brain_tables
from claudiad.brain.reading import hear
from claudiad.config import Settings
from claudiad.llm import confidence as c
from claudiad.llm.confidence import Evidence, agreement, certainty, denies
from claudiad.robot import registry
from claudiad.types import Action

REGISTRY = registry.load()
EVIDENCE = Evidence.of(brain_tables(Settings(), REGISTRY).phrases.keyed)


def of(text: str, *names: str, asked: bool) -> float:
    actions = [Action(name, REGISTRY[name].api_id) for name in names]
    return agreement(text, actions, EVIDENCE, REGISTRY, asked=asked)


@pytest.mark.parametrize(
    ("text", "names", "asked", "expected"),
    [
        ("そろそろ座ってもらおうかな", ("Sit",), True, c.NAMED),
        ("可愛い動作して", ("Heart",), True, c.ASKED),
        ("なんだか嬉しくなっちゃったよ", ("Content",), False, c.VOLUNTEERED),
        ("今日は疲れたなあ", ("StandDown",), False, c.UNASKED),
        ("今日は座らないでいてほしい", ("Sit",), True, c.CONTRARY),
        ("ダンスをしてほしいんだけど", ("Sit",), True, c.CONTRARY),
        ("量子力学について教えて", (), False, c.TALK),
        ("ダンスをしてほしいんだけど", (), True, c.TALK_ONLY),
    ],
)
def test_actions_are_believed_as_far_as_the_words_go(
    text: str, names: tuple[str, ...], asked: bool, expected: float
) -> None:
    """What the words name leaves at once; what they forbid, or what nobody asked for, does not move the robot."""
    assert of(text, *names, asked=asked) == expected


@pytest.mark.parametrize(
    "text", ["踊るなよ", "動いちゃだめ", "座らんといて", "もう踊らなくていい", "オドルナ", "スワラナイデ"]
)
def test_what_forbids_is_seen(text: str) -> None:
    """In kanji by the tokeniser, in katakana by its sound."""
    assert denies(hear(text))


@pytest.mark.parametrize("text", ["座ってもらおうかな", "嬉しくなったよ", "疲れたなあ", "踊ってほしいな"])
def test_what_only_sounds_like_it_is_not(text: str) -> None:
    """なる, かな and なあ forbid nothing."""
    assert not denies(hear(text))


def test_the_levels_lie_on_their_sides_of_the_thresholds() -> None:
    """Only what was asked for leaves early; a gesture may follow with the whole answer; the rest is asked back."""
    assert min(c.NAMED, c.ASKED, c.TALK) >= c.NOW
    assert c.NOW > c.VOLUNTEERED >= c.LATER > c.UNASKED > c.CONTRARY


@given(st.lists(st.floats(-50, 0), max_size=50))
def test_certainty_only_takes_away(logprobs: list[float]) -> None:
    """Unsure tokens lower the confidence, by no more than three tenths; without figures nothing changes."""
    assert 0.7 <= certainty(logprobs) <= 1.0
    assert certainty([]) == 1.0
