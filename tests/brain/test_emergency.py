"""Stops: always from a whole utterance of stop words, never from a part of another word."""

from __future__ import annotations

import pytest
from rapidfuzz.distance import Levenshtein

from claudiad.brain.reading import reading
from claudiad.brain.router import Router, Tables
from tests.brain.conftest import ACTIONS, DANCING, STANDING, lines, pronounced

ROWS = [line.split("\t") for line in lines("stops.tsv")]
STOPS = [text for kind, text in ROWS if kind in ("stop", "heard", "foreign")]
HEARD = [text for kind, text in ROWS if kind == "heard"]
"""The others need kanji or punctuation to prove a boundary; 止めろ is read とどめろ by Open JTalk."""
LATCHING = [text for kind, text in ROWS if kind == "latch"]
NO_STOP = [text for kind, text in ROWS if kind == "none"]


@pytest.mark.parametrize("text", STOPS)
def test_a_stop_word_stops(text: str, router: Router) -> None:
    """Any politeness, alone, repeated or in a plea: exactly the action stop, on the emergency route."""
    decision = router.decide(text, STANDING)
    assert [(a.name, a.api_id) for a in decision.actions] == [("stop", 1003)]
    assert decision.route == "emergency"
    assert not decision.latch


@pytest.mark.parametrize("text", HEARD)
def test_a_stop_as_pronounced_stops(text: str, router: Router) -> None:
    """The same as unbroken katakana, where a boundary can only be proven by the whole being consumed."""
    assert router.decide(pronounced(text), STANDING).route == "emergency"


@pytest.mark.parametrize("text", LATCHING)
def test_latching_words_latch(text: str, router: Router) -> None:
    """After these nothing may move until a release, and the reply says so."""
    decision = router.decide(text, STANDING)
    assert decision.latch
    assert decision.actions[0].api_id == 1003
    assert "解除" in decision.reply


@pytest.mark.parametrize("text", NO_STOP)
def test_a_part_of_another_word_is_no_stop(text: str, tables: Tables) -> None:
    """Not in writing, not as pronounced, while standing."""
    assert tables.stops.find_stop(text) is None
    assert tables.stops.find_stop(pronounced(text)) is None


@pytest.mark.parametrize("text", ["トマッテ", "マッテ", "トマッテクダサ", "アブナイ", "トマレトマレ", "ストップ"])
def test_partial_transcripts_stop(text: str, tables: Tables) -> None:
    """The stop listener asks with what has been recognised so far."""
    assert tables.stops.find_stop(text, moving=True) is not None


@pytest.mark.parametrize(
    "text", ["トマッタ", "ストッフ", "アプナイ", "あっちの角で止まって", "電車が止まって", "終わり", "静かにして"]
)
def test_while_moving_a_doubtful_stop_is_a_stop(text: str, router: Router) -> None:
    """One wrong kana, or a stop word at an unproven boundary, stops a moving robot and not a standing one."""
    assert router.decide(text, DANCING).actions[0].api_id == 1003
    assert router.decide(text, STANDING).actions == ()


def test_while_moving_known_commands_are_still_commands(router: Router) -> None:
    """No command of the table is so near to a stop word that moving robots would take it for one."""
    for line in lines("commands.tsv"):
        text = line.split("\t")[0]
        assert router.decide(text, DANCING).route != "emergency", text


@pytest.mark.parametrize(
    "text",
    [
        "解除",
        "解除して",
        "もう動いていいよ",
        "もう動いてもいいよ",
        "モーウゴイテイーヨ",
        "カイジョ",
        "クラウディア、解除",
    ],
)
def test_a_release_is_exact_and_moves_nothing(text: str, router: Router) -> None:
    """The latch comes off, and that is all that happens."""
    decision = router.decide(text, STANDING)
    assert decision.release
    assert decision.actions == ()


@pytest.mark.parametrize(
    "text",
    [
        "会場",
        "介助",
        "カイジョー",
        "解除しないで",
        "動いていい？",
        "もう動いていいかな",
        "解除方法を教えて",
        "カイジ",
        "release",
    ],
)
def test_a_near_miss_releases_nothing(text: str, router: Router) -> None:
    """Nothing but the exact words takes a latch off."""
    assert not router.decide(text, STANDING).release


def test_no_reply_contains_a_stop_word(tables: Tables) -> None:
    """The robot's own voice cannot stop it (docs/safety.md, 14); the answer to a stop may."""
    from claudiad.brain import answers

    replies = {p.reply for p in tables.phrases.all}
    replies |= {v for k, v in vars(answers).items() if k.isupper() and isinstance(v, str)}
    assert tables.stops.stop_keys >= {"トマッテ", "ストップ", "ヤメロ", "アブナイ"}
    offending = [(r, k) for r in replies if (spoken := reading(r)) for k in tables.stops.stop_keys if k in spoken]
    assert offending == []


def test_near_stops_are_one_kana_away_and_no_more(tables: Tables) -> None:
    """Two wrong kana are no stop, moving or not."""
    assert Levenshtein.distance("トマッテ", "ソマッタ") == 2
    assert tables.stops.find_stop("ソマッタ", moving=True) is None


def test_without_a_registered_stop_the_decision_is_still_a_stop(tables: Tables) -> None:
    """A registry without stop yields the emergency route with nothing to send, not another id."""
    from claudiad.brain.router import load_tables

    bare = Router(load_tables({k: v for k, v in ACTIONS.items() if k != "stop"}))
    decision = bare.decide("止まって", STANDING)
    assert decision.route == "emergency"
    assert decision.actions == ()
