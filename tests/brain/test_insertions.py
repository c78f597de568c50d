"""What may stand in front of a step without changing it, and what may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from claudiad.brain.insertions import MAX_INSERTIONS, insertions, load_words
from claudiad.brain.reading import hear, reading
from claudiad.brain.router import Tables
from claudiad.errors import DataError
from claudiad.types import Decision
from tests.brain.conftest import calls, fault, pronounced

Decide = Callable[[str], Decision]


def moved(decide: Decide, text: str) -> str:
    """What comes of a text, written or as pronounced."""
    return calls(decide(text)) or calls(decide(pronounced(text)))


@pytest.mark.parametrize(
    ("inserted", "command", "action"),
    [
        ("ソファの横で", "座って", "Sit"),
        ("部屋の真ん中で", "踊って", "Dance1"),
        ("テレビの前で", "伏せて", "StandDown"),
        ("椅子じゃなくて", "座って", "Sit"),
        ("椅子ではなくて", "座って", "Sit"),
        ("おじさんと", "踊って", "Dance1"),
        ("お友達と一緒に", "踊って", "Dance1"),
        ("音楽に合わせて", "踊って", "Dance1"),
        ("カメラに向かって", "手を振って", "Hello"),
        ("子供たちにも", "挨拶して", "Hello"),
        ("ゆったりと", "踊って", "Dance1"),
        ("優しく", "握手して", "Hello"),
        ("きれいな", "ハートを作って", "Heart"),
        ("わーいって", "喜んで", "Content"),
        ("お帰りになる皆さんに", "手を振って", "Hello"),
        ("遊びに来た子に", "挨拶して", "Hello"),
        ("庭で遊んでいる子に", "手を振って", "Hello"),
        ("庭で犬と大きく", "手を振って", "Hello"),
    ],
)
def test_a_place_a_companion_or_a_manner_may_stand_in_front(
    inserted: str, command: str, action: str, decide: Decide, tables: Tables
) -> None:
    """An insertion ends exactly where the command begins, and the command is done."""
    assert len(reading(inserted)) in insertions(hear(inserted + command), tables.words)(0)
    assert calls(decide(inserted + command)) == action


NO_INSERTIONS = """
明日|踊って 今度|座って さっき|座って 来週|踊って いつか|踊って 三人で|踊って 三時に|座って
片足で|立って この姿勢で|座って 目をつぶって|座って 全力で|踊って 前に|座って 右へ|踊って
後ろに前に|進んで 誰と|踊って どこで|座って 犬が|座って 犬を|座って 犬は|座って 犬も|座って
もし|座って 必要な時に|座って
"""


@pytest.mark.parametrize(
    "text",
    [
        *NO_INSERTIONS.split(),
        fault("a day is taken for a place", "月曜日に|踊って"),
        fault("いち is a filler, and メートル先で then a place", "一メートル先で|座って"),
    ],
)
def test_another_time_a_number_or_a_body_part_is_no_insertion(text: str, decide: Decide, tables: Tables) -> None:
    """What changes when, whether, how or by whom it is done stops it."""
    inserted, _, command = text.partition("|")
    assert len(reading(inserted)) not in insertions(hear(inserted + command), tables.words)(0)
    assert decide(inserted + command).actions == ()


IN_KANA = ("片足で|立って", "前に|座って", "後ろに前に|進んで", "必要な時に|座って")
"""Of these the words in context.tsv are written with kanji, and a transcript is not."""


@pytest.mark.parametrize(
    "text",
    [
        *(t for t in NO_INSERTIONS.split() if t not in (*IN_KANA, "明日|踊って")),
        *(fault("まえ is not 前, and かたあし not 片足", t) for t in IN_KANA),
        fault("アシタオドッテ is one kana from 姿勢を取って", "明日|踊って"),
        fault("みぎ is not 右", "右に|下がって"),
    ],
)
def test_nor_is_it_one_in_a_transcript(text: str, decide: Decide) -> None:
    """The unbroken katakana of the recogniser moves no more than the written text."""
    assert decide(pronounced(text.replace("|", ""))).actions == ()


@pytest.mark.parametrize(
    "text",
    [
        "上に下に歩いて",
        fault("まえ and うしろ are no ways in kana", "前に後ろに進んで"),
        fault("みぎ and ひだり are no ways in kana", "右に左に踊って"),
    ],
)
def test_a_way_said_twice_is_no_insertion(text: str, decide: Decide) -> None:
    """Neither way wins."""
    assert moved(decide, text) == ""


def test_insertions_end_at_punctuation_and_after_three(tables: Tables) -> None:
    """庭で|犬と|大きく|…: a fourth one is not looked for, and none reaches over a comma."""
    four = insertions(hear("庭で犬と大きく楽しく手を振って"), tables.words)(0)
    assert four == (3, 6, 10)
    assert len(four) == MAX_INSERTIONS
    assert insertions(hear("庭の犬と踊って"), tables.words)(0) == (6,)
    assert insertions(hear("庭の、犬と踊って"), tables.words)(0) == ()


def test_a_transcript_has_insertions_only_once_it_is_read_as_words(tables: Tables, decide: Decide) -> None:
    """Katakana has no parts of speech by itself."""
    assert insertions(hear("ヘヤノスミデオドッテ"), tables.words)(0) == ()
    assert calls(decide("ヘヤノスミデオドッテ")) == "Dance1"


@pytest.mark.parametrize("text", ["パパピカラスワッテ", "ブゲヒデスワッテ", "ウゲセムルガスワッテ"])
@pytest.mark.xfail(reason="words that the tokeniser does not know count as nouns and statements", strict=True)
def test_gibberish_in_front_of_a_command_is_not_understood(text: str, decide: Decide) -> None:
    """One unknown piece, and nothing moves: what is no word is no place and no reason."""
    assert decide(text).actions == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# c\nperson\t母\nbody\t足\n", ":3: unknown kind 'body'; known: asking, time"),
        ("person\n", ":1: 1 columns"),
        ("person\t母\t父\n", ":1: 3 columns"),
    ],
)
def test_a_faulty_table_of_words_names_the_line(text: str, fault: str, tmp_path: Path) -> None:
    """The message begins with the file and the line of the fault."""
    path = tmp_path / "context.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        load_words(path)
    assert str(error.value).startswith(f"{path}{fault}")


def test_words_of_a_kind_may_stand_in_several_lines(tmp_path: Path) -> None:
    """Braces are expanded, lines of one kind add up, and kinds without a line are empty."""
    path = tmp_path / "context.tsv"
    path.write_text("person\t{母,父}\ntime\t明日\nperson\tお{客,医者}さん\n", encoding="utf-8")
    words = load_words(path)
    assert words["person"] == {"母", "父", "お客さん", "お医者さん"}
    assert words["time"] == {"明日"}
    assert words["way"] == frozenset()
    with pytest.raises(DataError, match="cannot be read"):
        load_words(tmp_path / "none.tsv")
