"""The router's promises that hold for any text."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.display import Speller, load_speller
from claudiad.brain.kana import fold
from claudiad.brain.reading import MAX_CHARS, hear, reading
from claudiad.brain.router import Router, Tables, load_tables
from claudiad.types import Action, Context, Decision, Posture, RobotState
from tests.brain.conftest import ACTIONS, DANCING, STANDING, calls, lines

JOINTS = [
    "から",
    "そして",
    "ください",
    "ないで",
    "を",
    "に",
    "は",
    "一",
    "百",
    "メートル",
    "度",
    "回",
    "ー",
    "っ",
    "前に",
]
JOINTS += ["、", "たら", "ゴ", "テン"]
PIECES = [line.split("\t")[0] for line in lines("commands.tsv")] + list(lines("traps.txt")) + JOINTS
RUNNING = ["Dance1", "StaticWalk", "move x=1", "", " ", "ダンス"]
STATES = st.builds(
    RobotState,
    posture=st.sampled_from(Posture),
    battery=st.integers(0, 100),
    running=st.none() | st.sampled_from(RUNNING),
)
ASKED = st.sampled_from([(), (Action("Sit", ACTIONS["Sit"]),), (Action("move", ACTIONS["move"], {"x": 1.0}),) * 6])
CONTEXTS = st.builds(Context, hour=st.none() | st.integers(0, 23), last=ASKED, asked=ASKED)
ANYTHING = st.text(max_size=60)
BROKEN = st.text(st.characters(categories=["Cs", "Cc", "Cf", "Co", "Cn", "Mn", "Zl", "Zp", "Lo", "Lm"]), max_size=60)
"""Lone surrogates, control characters, directions, private use, combining marks, scripts of all kinds."""
ALPHABET = "アイウオカキクコサシスセソタチッテトドナニノハフマミメモヤヨラリルレワンガギダデバパャュョー"
KANA = st.text(f"{ALPHABET}あうおかさしすたって、。", max_size=24)
SPOKEN = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
LONG = [(piece * MAX_CHARS)[:MAX_CHARS] for piece in PIECES]


@st.composite
def slipped(draw: st.DrawFn) -> str:
    """Pieces of commands with characters lost, replaced or put in, of any kind."""
    text = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.text(max_size=2)) + text[at + draw(st.integers(0, 2)) :]
    return text


@pytest.fixture(scope="session")
def speller(tables: Tables) -> Speller:
    return load_speller(tables.phrases)


def check(router: Router, text: str, state: RobotState, context: Context) -> None:
    """What every decision promises, whatever was said."""
    decision = router.decide(text, state, context)
    assert decision.text == text
    assert {a.api_id for a in (*decision.actions, *decision.asked)} <= set(ACTIONS.values())
    assert all(ACTIONS[a.name] == a.api_id for a in (*decision.actions, *decision.asked))
    assert all(math.isfinite(v) for a in decision.actions for v in a.params.values())
    assert 0.0 <= decision.confidence <= 1.0
    assert decision.rule
    assert len(decision.actions) <= 6
    assert (decision.kind in ("action", "dialog_with_action")) == bool(decision.actions)
    assert not (decision.asked and decision.actions)
    assert not decision.latch or [a.name for a in decision.actions] == ["stop"]
    assert not (decision.release and decision.actions)
    assert "{" not in decision.reply


@given(ANYTHING, STATES, CONTEXTS)
@settings(max_examples=3000, deadline=None)
def test_no_text_raises_or_invents_an_action(router: Router, text: str, state: RobotState, context: Context) -> None:
    """Only ids of the given registry, finite parameters, a confidence in 0..1, a rule, and the text itself."""
    check(router, text, state, context)


@given(BROKEN, STATES)
@settings(max_examples=2000, deadline=None)
def test_nor_does_text_that_is_broken(router: Router, text: str, state: RobotState) -> None:
    """Lone surrogates, control characters, combining marks and unassigned code points are only characters."""
    check(router, text, state, Context())


@given(KANA, STATES, CONTEXTS)
@settings(max_examples=2500, deadline=None)
def test_nor_does_a_transcript(router: Router, text: str, state: RobotState, context: Context) -> None:
    """Kana in any order, which is what the embedded recogniser writes."""
    check(router, text, state, context)


@given(SPOKEN, STATES, CONTEXTS)
@settings(max_examples=1500, deadline=None)
def test_nor_do_commands_in_pieces(router: Router, text: str, state: RobotState, context: Context) -> None:
    """Commands, traps, joints and numbers in any order."""
    check(router, text, state, context)


@given(slipped(), STATES)
@settings(max_examples=1200, deadline=None)
def test_nor_do_commands_with_something_in_them(router: Router, text: str, state: RobotState) -> None:
    """Any character, in any place."""
    check(router, text, state, Context())


@given(ANYTHING | KANA | SPOKEN | BROKEN, st.sampled_from([MAX_CHARS, MAX_CHARS + 1, 10_000, 100_000]), STATES)
@settings(max_examples=300, deadline=None)
def test_nor_does_text_of_any_length(router: Router, unit: str, length: int, state: RobotState) -> None:
    """Up to 100 kB; what is longer than the limit moves nothing, and can only stop."""
    text = ((unit or "座って") * length)[:length]
    check(router, text, state, Context())
    actions = router.decide(text, state).actions
    assert length <= MAX_CHARS or {a.name for a in actions} <= {"stop"}


@given(
    st.text(min_size=MAX_CHARS, max_size=MAX_CHARS) | st.sampled_from(LONG),
    st.lists(ANYTHING | SPOKEN, min_size=2, max_size=2),
    STATES,
)
@settings(max_examples=200, deadline=None)
def test_nothing_beyond_the_limit_is_looked_at(router: Router, head: str, tails: list[str], state: RobotState) -> None:
    """What a decision costs is bounded, because the text is: what stands behind the cut makes no difference at all."""
    one, other = (replace(router.decide(f"{head}あ{tail}", state), text="") for tail in tails)
    assert one == other
    heard, same = (replace(hear(f"{head}あ{tail}"), tokens=()) for tail in tails)
    assert heard == same
    assert heard.truncated


@given(st.text(max_size=MAX_CHARS + 50) | st.lists(st.sampled_from("㍿ﷺ①ガ゛座"), max_size=MAX_CHARS).map("".join))
@settings(max_examples=300, deadline=None)
def test_what_is_heard_is_bounded_and_in_one_piece(text: str) -> None:
    """Also where NFKC makes eighteen characters of one; the words stand in the key, in their order."""
    heard = hear(text)
    assert len(heard.text) <= MAX_CHARS
    assert len(heard.letters) <= 2 * MAX_CHARS
    assert len(heard.clauses) == len(heard.marks)
    assert all(heard.clauses)
    places = [(token.start, token.end) for token in heard.tokens]
    assert places == sorted(places)
    assert all(0 <= start <= end <= len(heard.key) for start, end in places)


def test_the_cut_comes_before_everything_that_makes_text_shorter_or_longer() -> None:
    """Composed and left-out characters do not let more in, ligatures do not let more out."""
    assert hear("か\u3099" * 100_000).text == "が" * (MAX_CHARS // 2)
    assert hear("\ud800" * MAX_CHARS + "座って").key == ""
    assert len(hear("ﷺ" * MAX_CHARS).text) <= MAX_CHARS
    assert hear("座\ud800って").text == "座って"


def test_deciding_from_several_threads_gives_the_same(router: Router) -> None:
    """The loop and the stop listener share one router, and what it keeps between decisions changes none."""
    texts = [
        "座ってください",
        "三回挨拶して",
        "お客さんが来たから、座って",
        "ユクリアルイテ",
        "踊らないで",
        "電車が止まっている",
    ]
    expected = [router.decide(text, STANDING) for text in texts] * 10
    found: list[list[Decision]] = []
    threads = [
        threading.Thread(target=lambda: found.append([router.decide(text, STANDING) for text in texts * 10]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Sm", "So", "Cc", "Cs", "Zs"]), max_size=80))
@settings(max_examples=300, deadline=None)
def test_text_without_japanese_moves_nothing_unless_it_is_in_the_table(router: Router, text: str) -> None:
    """Noise in other scripts is never a motion."""
    decision = router.decide(text, STANDING)
    assert not decision.actions or decision.route in ("hotpath", "emergency")


@pytest.mark.parametrize(
    "text",
    [
        "座って" * 40_000,
        "ア" * 100_000,
        "止まってと" * 20_000,
        "立って座って" * 60,
        "一" * 399,
        "回回" * 190,
        "あの" * 199,
    ],
)
def test_very_long_text_is_answered_and_moves_nothing(text: str, router: Router) -> None:
    """Input is cut at a stated bound, and what was cut is never acted on."""
    decision = router.decide(text, STANDING)
    assert decision.actions == ()
    assert decision.reply


def test_a_command_before_the_cut_is_not_done_without_what_followed(router: Router) -> None:
    """What was cut off may have been とは言っていない."""
    decision = router.decide("座って" + "、" * 500 + "とは言っていない", STANDING)
    assert (decision.actions, decision.rule) == ((), "longer than the limit")


@pytest.mark.parametrize("text", ["立って可愛い", "可愛い座って", "立ってからおやすみ", "座ってから名前は"])
def test_talk_is_no_step_of_a_sequence(text: str, router: Router) -> None:
    """Greetings, praise and questions are utterances of their own."""
    assert router.decide(text, STANDING).actions == ()


def test_empty_text_is_nothing(router: Router) -> None:
    """No words, no decision, no reply."""
    for text in ("", "  ", "。。。", "😀"):
        assert router.decide(text, STANDING) == Decision(text, "none", "none", (), "", 0.0, "empty")


@pytest.mark.parametrize(
    ("text", "route", "kind"),
    [
        ("止まって", "emergency", "action"),
        ("座って", "hotpath", "action"),
        ("座ってください", "hotpath", "action"),
        ("可愛いね", "hotpath", "dialog_with_action"),
        ("名前は", "hotpath", "dialog"),
        ("立って挨拶", "grammar", "action"),
        ("三回挨拶して", "grammar", "action"),
        ("一メートル前に進んで", "motion", "action"),
        ("量子力学について教えて", "fallback", "dialog"),
        ("座らないで", "grammar", "dialog"),
        ("sit down", "hotpath", "action"),
    ],
)
def test_each_text_takes_its_route(text: str, route: str, kind: str, router: Router) -> None:
    """Route and kind say which rule took it and whether it is command or talk."""
    decision = router.decide(text, STANDING)
    assert (decision.route, decision.kind) == (route, kind)


def test_exact_is_surer_than_derived_and_a_guess_is_least(router: Router) -> None:
    """Confidence falls from the exact phrase over politeness and sequences to the fallback."""
    exact, polite, motion, guess = (
        router.decide(t, STANDING).confidence for t in ("座って", "座ってくれますか", "一メートル進んで", "なんだろう")
    )
    assert exact == 1.0 > polite > motion > guess


def test_the_rule_says_why(router: Router) -> None:
    """People who ask why are told the phrases or the word that matched."""
    assert router.decide("立ってから挨拶してください", STANDING).rule == "立って → 挨拶"
    assert router.decide("とまれー", STANDING).rule == "whole: 止まって"


def test_a_sequence_of_more_than_six_steps_is_refused_as_a_whole(router: Router) -> None:
    """Not the first six: none."""
    decision = router.decide("十回挨拶して", STANDING)
    assert decision.actions == ()
    assert "六つ" in decision.reply
    assert router.decide("立って座って立って座って立って座って伏せて", STANDING).actions == ()
    assert len(router.decide("六回挨拶して", STANDING).actions) == 6


def test_one_unknown_step_means_nothing_moves(router: Router) -> None:
    """A sequence is done whole or not at all."""
    assert router.decide("立ってから料理を作って、座って", STANDING).actions == ()
    assert router.decide("立ってから座らないで", STANDING).actions == ()


@pytest.mark.parametrize(
    "text",
    [
        "前に後ろに進んで",
        "一メートル右に下がって",
        "前に九十度回って",
        "右に一メートル回って",
        "後ろに一メートル前進して",
        "九十度進んで",
    ],
)
def test_contradictions_of_way_and_amount_are_not_guessed_at(text: str, router: Router) -> None:
    """A way, an amount and a verb that do not go together move nothing."""
    assert router.decide(text, STANDING).actions == ()


def test_values_out_of_range_are_passed_on_for_safety_to_judge(router: Router) -> None:
    """The router neither clamps nor rounds what was said."""
    assert calls(router.decide("九百メートル前に進んで", STANDING)) == "move x=900"


def test_without_move_in_the_registry_numbers_move_nothing() -> None:
    """A registry without an action cannot be asked for it; phrases that need it are a fault at load."""
    from claudiad.errors import DataError

    with pytest.raises(DataError, match="unknown action 'move'"):
        load_tables({k: v for k, v in ACTIONS.items() if k != "move"})


def test_the_state_changes_only_how_readily_it_stops(router: Router) -> None:
    """Posture and battery are safety's business: the decision is the same."""
    low = replace(STANDING, posture=Posture.LYING, battery=3)
    assert router.decide("踊って", low) == router.decide("踊って", STANDING) == router.decide("踊って", DANCING)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("量子力学について教えて", "分かりません"),
        ("明日は雨が降りますか", "分かりません"),
        ("ピアノを弾いてください", "できません"),
        ("座らないで", "しません"),
        ("今日は雨だった", "なるほど"),
        ("あ", "もう一度"),
    ],
)
def test_what_is_not_understood_is_answered_by_intent(text: str, part: str, router: Router) -> None:
    """Question, request, prohibition, statement and mumble each get their own sentence."""
    assert part in router.decide(text, STANDING).reply


@pytest.mark.parametrize(
    ("kana", "written"),
    [
        ("スワッテカラアイサツシテ", "座ってから挨拶して"),
        ("イチメートルマエニススンデ", "一メートル前に進んで"),
        ("ゴジュッセンチサガッテ", "五十センチ下がって"),
        ("ミギニキュージュードマワッテ", "右に九十度回って"),
        ("コンニチワ", "こんにちは"),
        ("デンシャガトマッテイル", "電車が止まっている"),
        ("ボクワネコガスキ", "僕は猫が好き"),
        ("モニャモニャ", "もにゃもにゃ"),
        ("", ""),
    ],
)
def test_a_transcript_is_shown_as_a_person_would_write_it(kana: str, written: str, speller: Speller) -> None:
    """Known words with kanji, the rest in hiragana."""
    assert speller.display(kana) == written


def test_what_is_shown_sounds_like_what_was_heard(tables: Tables, speller: Speller) -> None:
    """Forms of phrases survive key → display → key (every seventh of some five thousand)."""
    for word in tables.phrases.words[::7]:
        assert reading(speller.display(word.key)) == word.key, word


@given(st.text("アイウエオカサタテデトニノハマモラリワンッーオコソ", max_size=24))
@settings(max_examples=200, deadline=None)
def test_any_kana_can_be_shown(speller: Speller, kana: str) -> None:
    """Gibberish is shown as something, silence as nothing."""
    shown = speller.display(kana)
    assert bool(shown) == bool(fold(kana))
