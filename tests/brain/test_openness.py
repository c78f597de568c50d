"""How open an utterance is: as written and as the embedded recogniser writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.openness import (
    SURE,
    Openness,
    OpennessTable,
    Verdict,
    how_open,
    load_openness,
    says_nothing,
)
from claudiad.brain.router import Router
from claudiad.errors import DataError
from claudiad.types import Action, Context, Decision, RobotState
from tests.brain.conftest import ACTIONS, DANCING, STANDING, lines, pronounced, write
from tests.brain.test_router import ANYTHING, BROKEN, KANA, SPOKEN

Judge = Callable[[str], Verdict]

ROWS = [
    (text, openness)
    for openness, several in (line.split("\t") for line in lines("openness.tsv"))
    for text in several.split(" ")
]
OPEN_WRITTEN = ["立つと", "日が暮れると", "犬や猫や", "明日の", "三匹と四", "今から帰るが"]
"""What the sound alone does not tell."""


@pytest.fixture(scope="session")
def table() -> OpennessTable:
    return load_openness()


@pytest.fixture(scope="session")
def judge(router: Router, table: OpennessTable) -> Judge:
    return lambda text: how_open(text, router.decide(text, STANDING), table)


@pytest.mark.parametrize("form", [str, pronounced], ids=["written", "pronounced"])
@pytest.mark.parametrize(("text", "openness"), ROWS)
def test_an_utterance_is_as_open_as_it_sounds(
    text: str, openness: str, form: Callable[[str], str], judge: Judge
) -> None:
    """Written or as pronounced, with the router's own decision on it."""
    assert judge(form(text)).openness == openness, judge(form(text)).reason


def test_the_table_is_as_large_as_it_should_be() -> None:
    """It does not shrink unnoticed."""
    assert len(ROWS) >= 150
    assert {openness for _, openness in ROWS} == set(Openness)


@pytest.mark.parametrize("text", OPEN_WRITTEN)
def test_kanji_tell_more(text: str, judge: Judge) -> None:
    """With ordinary writing the tokeniser knows the last word."""
    assert judge(text).openness is Openness.OPEN


@pytest.mark.parametrize(
    ("text", "openness"),
    [
        ("マテ", "complete"),
        ("トマレ", "complete"),
        ("ハト", "between"),
        ("ナニ", "between"),
        ("クニ", "between"),
        ("ヒト", "between"),
        ("ソト", "between"),
        ("キョーワ", "open"),
        ("キョウワ", "open"),
        ("ワタシワ", "open"),
        ("ツカレルワ", "between"),
        ("イスオ", "open"),
        ("イスヲ", "open"),
        ("カオ", "between"),
        ("コーエンエ", "open"),
        ("イーエ", "between"),
        ("ナマエワ", "complete"),
        ("エートアノ", "open"),
        ("ミギニキュージュー", "open"),
        ("サン", "open"),
        ("タッテアイサツシテ", "complete"),
        ("タッテカラ", "open"),
        ("スワッテッテバ", "complete"),
        ("タテバ", "open"),
        ("ヒダリオムテ", "between"),
        ("ニク", "between"),
        ("イチゴ", "between"),
        ("ユライワナニ", "between"),
        ("テストヤ", "between"),
        ("ヤットツカマッテタッタノ", "between"),
        ("ジンセーワ", "open"),
        ("ソロソロカエルネサヨーナラ", "between"),
    ],
)
def test_false_friends_of_the_transcript(text: str, openness: str, judge: Judge) -> None:
    """ワ for は, オ for を, エ for へ; and words that only sound like a particle at their end."""
    assert judge(text).openness == openness, judge(text).reason


def test_a_question_mark_ends_what_would_be_open(judge: Judge) -> None:
    """これは？ is asked, これは goes on."""
    assert judge("これは").openness is Openness.OPEN
    assert judge("これは？").openness is Openness.BETWEEN
    assert judge("これは。").openness is Openness.OPEN


@pytest.mark.parametrize("text", ["", "  ", "。。。", "😀", "♪"])
def test_nothing_is_between(text: str, judge: Judge) -> None:
    """No words, no sign of either."""
    assert judge(text) == Verdict(Openness.BETWEEN, "empty")


def test_a_reason_behind_a_command_is_between(judge: Judge) -> None:
    """立って、お客さんが来たから may be all, or 座って may follow."""
    assert judge("立って、お客さんが来たから").openness is Openness.BETWEEN
    assert judge("お客さんが来たから、立って").openness is Openness.COMPLETE


def test_an_answer_to_a_question_is_complete(router: Router, table: OpennessTable) -> None:
    """はい and いいえ, where the robot has asked; else nobody knows what they begin."""
    asked = Context(asked=(Action("Sit", ACTIONS["Sit"]),))
    for text in ("はい", "いいえ", "ハイ"):
        assert how_open(text, router.decide(text, STANDING, asked), table).openness is Openness.COMPLETE
        assert how_open(text, router.decide(text, STANDING), table).openness is Openness.BETWEEN


def test_once_more_is_complete_only_where_something_was_done(router: Router, table: OpennessTable) -> None:
    """もう一回 does what was done last, or waits for what is to be done."""
    done = Context(last=(Action("Sit", ACTIONS["Sit"]),))
    assert how_open("もう一回", router.decide("もう一回", STANDING, done), table).openness is Openness.COMPLETE
    assert how_open("もう一回", router.decide("もう一回", STANDING), table).openness is Openness.OPEN


def test_a_stop_is_complete_however_it_was_found(router: Router, table: OpennessTable) -> None:
    """Also a ban of what is being done."""
    for text in ("止まって", "ストップストップ", "踊らないで", "踊るのやめて", "トマツテ", "うわあ"):
        decision = router.decide(text, DANCING)
        assert decision.route == "emergency"
        assert how_open(text, decision, table).openness is Openness.COMPLETE


def test_a_guess_is_never_complete(router: Router, table: OpennessTable) -> None:
    """Near misses and the heuristic answer wait, whatever they would do."""
    decision = router.decide("座って", STANDING)
    assert how_open("座って", decision, table).openness is Openness.COMPLETE
    for other in (replace(decision, route="semantic"), replace(decision, confidence=SURE - 0.01)):
        assert how_open("座って", other, table).openness is not Openness.COMPLETE


def test_questions_and_greetings_seldom_wait_long(judge: Judge) -> None:
    """Of what people only say to it, a tenth at most looks unfinished."""
    rows = [line.split("\t") for line in lines("utterances/tune.tsv")]
    talk = [form(row[1]) for row in rows if row[0] in ("dialog", "praise") for form in (str, pronounced)]
    waiting = [text for text in talk if judge(text).openness is Openness.OPEN]
    assert len(talk) > 500
    assert len(waiting) <= len(talk) / 10


def test_commands_seldom_wait(judge: Judge, router: Router) -> None:
    """Of the utterances that move it exactly, nearly all may act at once."""
    rows = [line.split("\t") for line in lines("commands.tsv")]
    moved = [row[0] for row in rows if router.decide(row[0], STANDING).actions]
    waiting = [text for text in moved if judge(text).openness is not Openness.COMPLETE]
    assert len(moved) > 150
    assert len(waiting) <= len(moved) / 20, waiting


@given(ANYTHING | BROKEN | KANA | SPOKEN, st.sampled_from([STANDING, DANCING]))
@settings(max_examples=1500, deadline=None)
def test_complete_is_exact_and_nothing_raises(
    router: Router, table: OpennessTable, text: str, state: RobotState
) -> None:
    """A verdict with a reason; complete only where the router is exact and does or says something."""
    decision = router.decide(text, state)
    verdict = how_open(text, decision, table)
    assert verdict.reason
    if verdict.openness is Openness.COMPLETE:
        known = decision.route in ("hotpath", "grammar", "motion", "cache") and decision.confidence >= SURE
        assert known or decision.route == "emergency"
        assert decision.actions or decision.reply


@given(SPOKEN | ANYTHING, st.sampled_from(["えーと", "それから", "あのー、"]))
@settings(max_examples=500, deadline=None)
def test_what_ends_in_a_filler_is_not_over(router: Router, table: OpennessTable, text: str, filler: str) -> None:
    """Whatever stands before it, unless the router takes the whole for something."""
    said = f"{text}、{filler}"
    decision = router.decide(said, STANDING)
    if decision.route == "fallback" and len(said) < 100:
        assert how_open(said, decision, table).openness is Openness.OPEN


def test_long_text_is_judged_by_what_is_looked_at(table: OpennessTable, router: Router) -> None:
    """Up to 100 kB, in bounded time."""
    for unit in ("えーと", "一", "右に", "座って", "、"):
        text = unit * 30_000
        assert how_open(text, router.decide(text, STANDING), table).openness is not Openness.COMPLETE


@pytest.mark.parametrize("text", ["えーと", "あのー、えっと", "クラちゃん", "ねえクラウディア", "エートアノ", "ほら"])
def test_fillers_and_names_say_nothing(text: str, table: OpennessTable) -> None:
    """A whole utterance of them changes nothing that was said."""
    assert says_nothing(text, table)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "うーん",
        "ううん",
        "ウーン",
        "もし",
        "でも",
        "じゃなくて",
        "右",
        "三",
        "もっと",
        "座って",
        "えーと座って",
        "違う",
        "え、違う",
    ],
)
def test_what_may_mean_something_does_not_say_nothing(text: str, table: OpennessTable) -> None:
    """ううん is a no, and でも begins an objection."""
    assert not says_nothing(text, table)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("filler", "1 columns"),
        ("filler\ta\tb\tc", "4 columns"),
        ("filter\tえーと", "unknown kind 'filter'"),
        ("filler\tえー{と,っと", "a brace is not closed"),
        ("filler\t{えーと,}", "a word is empty"),
    ],
)
def test_a_faulty_line_is_named(row: str, fault: str, tmp_path: Path) -> None:
    """File, line and what is wrong."""
    path = write(tmp_path, f"# c\nname\tぽち\n{row}\n")
    with pytest.raises(DataError, match=f":3: .*{fault}"):
        load_openness(path)


def test_an_empty_table_leaves_numbers_open(tmp_path: Path) -> None:
    """A table of one's own needs no kind."""
    table = load_openness(write(tmp_path, "# nothing\n"))
    nothing = Decision("", "fallback", "dialog", (), "はい。", 0.2, "no rule: statement")
    assert how_open("三", nothing, table).openness is Openness.OPEN
    assert how_open("えーと", nothing, table).openness is Openness.BETWEEN
