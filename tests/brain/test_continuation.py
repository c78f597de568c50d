"""What becomes of a command when the person speaks on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.backchannel import is_backchannel, load_backchannels
from claudiad.brain.continuation import (
    AGAIN,
    WORDS_MS,
    Continuation,
    behind,
    continued,
    joined,
    whole_of,
)
from claudiad.brain.openness import load_openness, says_nothing
from claudiad.brain.router import Router
from claudiad.types import Action, Context, Decision
from tests.brain.conftest import ACTIONS, STANDING, calls, lines, pronounced
from tests.brain.test_router import ANYTHING, BROKEN, KANA, PIECES, SPOKEN

OPENNESS, BACKCHANNELS = load_openness(), load_backchannels()
CASES = [[*row, ""][:4] for row in (line.split("\t") for line in lines("continuations.tsv"))]
COMMANDS = [line.split("\t")[0] for line in lines("commands.tsv")]
BANS = ["はいけない", "はだめ", "ちゃだめ", "じゃない", "ないで", "ほしくない", "違う", "やっぱりやめた", "いや"]
Decide = Callable[[str], Decision]


def sound(rest: str) -> str:
    """As pronounced behind a te-form, where は is the particle."""
    return pronounced("わ" + rest[1:] if rest.startswith(("はいけ", "はだめ", "は好き")) else rest)


def go_on(first: str, rest: str, decide: Decide, dropped: str | None = None, voiced_ms: int = 500) -> Continuation:
    """What becomes of `first` when `rest` is said behind it."""
    begun, later = decide(first), decide(rest)
    nothing = is_backchannel(rest, BACKCHANNELS) or says_nothing(rest, OPENNESS)
    return continued(
        begun,
        whole_of(begun, later, decide),
        later,
        rest_dropped=dropped,
        rest_voiced_ms=voiced_ms,
        says_nothing=nothing,
    )


def made(*names: str) -> tuple[Action, ...]:
    return tuple(Action(name, ACTIONS[name]) for name in names)


def decided(text: str, *names: str, rule: str = "a rule", route: str = "hotpath", kind: str = "") -> Decision:
    """A decision as the router would make it."""
    kind = kind or ("action" if names else "dialog")
    return Decision(text, route, kind, made(*names), f"{text}。", 1.0, rule)  # type: ignore[arg-type]  # literals of the tests


def test_the_table_is_as_large_as_it_should_be() -> None:
    """Every way is in it, and it does not shrink unnoticed."""
    assert len(CASES) >= 110
    assert {case[2] for case in CASES} == {"follow", "same", "talk", "replace", "cancel", "unrelated"}


@pytest.mark.parametrize("form", ["written", "pronounced"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: " … ".join(case[:2]))
def test_speech_behind_a_command(case: list[str], form: str, decide: Decide) -> None:
    """Through the router, written and as pronounced: what becomes of the command, and which actions come."""
    first, rest, kind, actions = case
    if form == "pronounced":
        first, rest = pronounced(first), sound(rest)
    got = go_on(first, rest, decide)
    assert got.kind == kind, got.reason
    assert calls(replace(decide(first), actions=got.actions)) == actions


@pytest.mark.parametrize("mark", ["。", "、", "…", "！", "」"])
def test_punctuation_at_the_seam_makes_no_difference(mark: str, decide: Decide) -> None:
    """A recogniser ends each of its texts like a sentence."""
    assert go_on(f"座って{mark}", f"{mark}はいけない{mark}", decide).kind == "cancel"
    assert calls(replace(decide(""), actions=go_on(f"立って{mark}", f"挨拶して{mark}", decide).actions)) == "Hello"


def test_the_reply_is_of_what_comes(decide: Decide) -> None:
    """The step's own answer where there is one, the whole's otherwise, and nothing where nothing is added."""
    assert go_on("座って", "右に回って", decide).reply == decide("右に回って").reply
    assert go_on("座って", "はいけない", decide).reply == decide("座ってはいけない").reply
    assert go_on("座って", "ありがとう", decide).reply == decide("ありがとう").reply
    assert go_on("前に進んで", "じゃなくて座って", decide).reply == decide("座って").reply
    assert go_on("座って", "ください", decide).reply == ""
    assert go_on("座って", "うん", decide).reply == ""


def test_once_more_is_done_where_the_context_knows_of_what(router: Router) -> None:
    """もう一回 alone repeats what was committed before it."""
    begun = router.decide("回って", STANDING)
    later = router.decide("もう一回", STANDING, Context(last=begun.actions))
    whole = whole_of(begun, later, lambda text: router.decide(text, STANDING))
    got = continued(begun, whole, later, rest_dropped=None, rest_voiced_ms=500)
    assert (got.kind, got.actions) == ("follow", begun.actions)


@pytest.mark.parametrize(
    ("dropped", "voiced_ms", "kind"),
    [
        ("silence", 0, "unrelated"),
        ("silence", 2000, "unrelated"),
        ("too quiet", 2000, "unrelated"),
        ("own voice", 2000, "unrelated"),
        ("backchannel", 2000, "unrelated"),
        ("out of vocabulary", WORDS_MS - 1, "unrelated"),
        ("out of vocabulary", WORDS_MS, "cancel"),
        ("hallucination", WORDS_MS - 1, "unrelated"),
        ("hallucination", WORDS_MS, "cancel"),
        ("not addressed", WORDS_MS, "cancel"),
        ("some new reason", WORDS_MS, "cancel"),
    ],
)
def test_unknown_words_may_have_been_a_ban(dropped: str, voiced_ms: int, kind: str, decide: Decide) -> None:
    """A cough is nothing; 300 ms of something unknown ends what began, whatever the dropped text seems to say."""
    for rest in ("挨拶して", "", "はいけない", "うん"):
        got = go_on("立って", rest, decide, dropped, voiced_ms)
        assert (got.kind, got.actions) == (kind, ())
        assert got.reply == (AGAIN if kind == "cancel" else "")


def test_unknown_words_behind_talk_end_nothing(decide: Decide) -> None:
    """There is nothing to end, and the answer may be heard out."""
    assert go_on("ありがとう", "？", decide, "out of vocabulary", 900).kind == "unrelated"


def test_two_readings_that_disagree_do_nothing_new() -> None:
    """The later words alone are a command the whole does not have; at their word the next time."""
    got = continued(
        decided("立って", "StandUp"),
        decided("立って手", "StandUp", "Hello"),
        decided("手", "Dance1"),
        rest_dropped=None,
        rest_voiced_ms=500,
    )
    assert (got.kind, got.actions, got.reply) == ("cancel", (), AGAIN)


def test_a_guess_about_the_whole_replaces_nothing() -> None:
    """A near miss may go on from what began, but not be the same or something else."""
    begun, rest = decided("座って", "Sit"), decided("マンテネ", route="fallback")
    for names in (("Sit",), ("Hello",)):
        whole = decided("座って", *names, route="semantic", rule="near: 座って待って")
        assert continued(begun, whole, rest, rest_dropped=None, rest_voiced_ms=500).kind == "cancel"
    whole = decided("座って", "Sit", "Hello", route="semantic")
    assert continued(begun, whole, rest, rest_dropped=None, rest_voiced_ms=500).actions == made("Hello")
    guessed = replace(begun, route="semantic")
    whole = decided("座って", "Sit", route="semantic")
    assert continued(guessed, whole, rest, rest_dropped=None, rest_voiced_ms=500).kind == "same"


def test_the_gesture_of_an_answer_is_no_motion_of_the_whole() -> None:
    """The whole is praise, and nobody knows what of: no gesture follows a command."""
    begun = decided("お座り", "Sit")
    whole = decided("お座り上手", "Content", kind="dialog_with_action", rule="上手")
    rest = replace(decided("上手", "Content", kind="dialog_with_action", rule="上手"), confidence=0.9)
    assert continued(begun, whole, rest, rest_dropped=None, rest_voiced_ms=500).kind == "cancel"


def test_an_answer_promises_no_motion_that_does_not_come() -> None:
    """A gesture may be left out of thanks; an offer to lie down may not."""
    begun, whole = decided("座って", "Sit"), decided("座って", route="fallback", rule="no rule")
    for name, kind in (("Heart", "talk"), ("Content", "talk"), ("Hello", "talk"), ("StandDown", "cancel")):
        rest = decided("さて", name, kind="dialog_with_action")
        got = continued(begun, whole, rest, rest_dropped=None, rest_voiced_ms=500)
        assert (got.kind, got.actions) == (kind, ())


@pytest.mark.parametrize(
    ("first", "rest", "texts"),
    [
        ("座って", "はいけない", ("座ってはいけない", "座って、はいけない")),
        ("座って。", "、はいけない。", ("座ってはいけない。", "座って、はいけない。")),
        ("タッテ", "アイサツシテ", ("タッテアイサツシテ", "タッテ、アイサツシテ")),
        ("座って", "", ("座って",)),
        ("", "座って", ("座って",)),
        ("座って", "。", ("座って",)),
        ("", "", ()),
        ("。", "。", ("。",)),
    ],
)
def test_texts_are_joined_without_a_break_first(first: str, rest: str, texts: tuple[str, ...]) -> None:
    """One sentence is tried before two."""
    assert joined(first, rest) == texts


@pytest.mark.parametrize(
    ("first", "at_once", "rest"),
    [
        ("座って", "座ってはいけない", "はいけない"),
        ("座って。", "座って、はいけない。", "はいけない。"),
        ("スワッテ", "スワッテヤッタリタッテ", "ヤッタリタッテ"),
        ("スワッテ", "サワッテタッテ", ""),
        ("スワッテ", "スワッテ", ""),
        ("", "スワッテ", ""),
    ],
)
def test_later_words_are_taken_from_the_whole(first: str, at_once: str, rest: str) -> None:
    """Where the whole begins as it was heard before."""
    assert behind(first, at_once) == rest


def test_a_break_is_heeded_where_one_sentence_says_nothing(decide: Decide) -> None:
    """お座り、お手 are two orders; 踊って、みたい is no order and a remark, but 踊ってみたい."""
    for first, rest, actions in (
        ("お座り", "お手", "Sit | Hello"),
        ("立って", "お客さんだよ", "StandUp"),
        ("座って", "おいで", "Sit"),
        ("踊って", "みたい", ""),
        ("座って", "いる人は誰", ""),
        ("座って", "ううん", ""),
    ):
        assert calls(whole_of(decide(first), decide(rest), decide)) == actions


@pytest.mark.parametrize(
    "rest", ["ジャガクテタッテ", "チャナクテタッテ", "チラウタッテ", "ヤッカリタッテ", "マチガイタタッテ"]
)
def test_a_correction_that_was_nearly_heard_is_one(rest: str, decide: Decide) -> None:
    """A consonant off, with an exact command behind it; not in front of anything else."""
    got = go_on("スワッテ", rest, decide)
    assert (got.kind, got.actions) == ("replace", made("StandUp"))
    assert go_on("スワッテ", rest.removesuffix("タッテ") + "リンゴ", decide).actions == ()


def test_the_whole_sound_speaks_where_the_joined_texts_say_nothing(decide: Decide) -> None:
    """And only there."""
    begun = decide("スワッテ")
    assert calls(whole_of(begun, decide("アイタツイテ"), decide, "スワッテアイサツシテ")) == "Sit | Hello"
    assert calls(whole_of(begun, decide("アイサツシテ"), decide, "スワッテタッテ")) == "Sit | Hello"
    assert calls(whole_of(begun, decide("アイサツシテ"), decide, "スワッテリンゴ")) == "Sit | Hello"
    assert whole_of(begun, decide("リンゴ"), decide, "スワッテリンゴ").actions == ()
    assert calls(whole_of(begun, decide(""), decide, "スワッテアイサツシテ")) == "Sit | Hello"


def check(got: Continuation, whole: Decision, rest: Decision) -> None:
    """What every continuation promises."""
    assert got.reason
    assert got.kind in ("follow", "replace") or not got.actions
    assert got.kind not in ("follow", "replace") or got.actions
    n = len(got.actions)
    assert got.actions in (rest.actions, whole.actions[len(whole.actions) - n :])
    assert not any(action.name == "stop" for action in got.actions)
    assert got.kind not in ("same", "unrelated") or not got.reply


@given(
    st.sampled_from(COMMANDS) | SPOKEN | ANYTHING,
    st.sampled_from(PIECES) | SPOKEN | ANYTHING | KANA | BROKEN,
    st.booleans(),
    st.none() | st.tuples(st.sampled_from(["silence", "out of vocabulary"]), st.integers(0, 3000)),
)
@settings(max_examples=1500, deadline=None)
def test_whatever_is_said_behind_whatever(
    router: Router, first: str, rest: str, nothing: bool, dropped: tuple[str, int] | None
) -> None:
    """No action that is neither in the whole nor in the later words, no stop, and none but for follow and replace."""

    def decide(text: str) -> Decision:
        return router.decide(text, STANDING)

    begun, later = decide(first), decide(rest)
    whole = whole_of(begun, later, decide)
    why, voiced_ms = dropped or (None, 500)
    got = continued(begun, whole, later, rest_dropped=why, rest_voiced_ms=voiced_ms, says_nothing=nothing)
    check(got, whole, later)


NAMES = st.lists(st.sampled_from(["Sit", "StandUp", "Hello", "Dance1", "Heart", "stop"]), max_size=3).map(tuple)
DECISIONS = st.builds(
    lambda names, route, kind, confidence, rule: replace(
        decided("何か", *names, rule=rule, route=route, kind=kind if names else "dialog"), confidence=confidence
    ),
    NAMES,
    st.sampled_from(["emergency", "hotpath", "grammar", "motion", "semantic", "cache", "llm", "fallback", "none"]),
    st.sampled_from(["action", "dialog_with_action"]),
    st.sampled_from([0.2, 0.6, 0.9, 0.98, 1.0]),
    st.sampled_from(["a rule", "another", "forbidden: 座って", "again", "違う", "疲れた", "自己紹介して"]),
)


@given(DECISIONS, DECISIONS, DECISIONS)
@settings(max_examples=3000, deadline=None)
def test_no_combination_of_decisions_breaks_the_promises(begun: Decision, whole: Decision, rest: Decision) -> None:
    """Also such as the router would never make together."""
    if any(a.name == "stop" and d.route != "emergency" for d in (whole, rest) for a in d.actions):
        return  # only an emergency stops
    got = continued(begun, whole, rest, rest_dropped=None, rest_voiced_ms=500)
    check(got, whole, rest)
    banned = any(not d.actions and d.rule.startswith("forbidden") for d in (whole, rest))
    stopped = any(d.actions and d.route == "emergency" for d in (whole, rest))
    if banned or stopped:
        assert (got.kind, got.actions) == ("cancel", ())


@given(st.sampled_from(COMMANDS), st.sampled_from(BANS), st.sampled_from(["", "。", "、"]))
@settings(max_examples=400, deadline=None)
def test_a_ban_never_leads_to_an_action(router: Router, first: str, ban: str, mark: str) -> None:
    """Whatever began, and however the ban is written."""

    def decide(text: str) -> Decision:
        return router.decide(text, STANDING)

    for one, other in ((first, ban), (pronounced(first), sound(ban))):
        begun = decide(one)
        if begun.actions and begun.kind == "action" and begun.route != "emergency":
            got = go_on(one + mark, other, decide)
            assert got.actions == ()
            assert got.kind in ("cancel", "talk")
