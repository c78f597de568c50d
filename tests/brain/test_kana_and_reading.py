"""Keys: one spelling for everything that sounds the same."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain import numerals
from claudiad.brain.kana import fold, loose, shorten, unstretched
from claudiad.brain.reading import MAX_CHARS, hear, reading
from tests.brain.conftest import pronounced

KANA = st.text(
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンッャュョァィゥェォーヲヂヅ",
    max_size=40,
)


@pytest.mark.parametrize(
    "same",
    [
        ("お座り", "おすわり", "オスワリ", "ｵｽﾜﾘ"),
        ("こんにちは", "コンニチワ", "こんにちわ"),
        ("ありがとう", "アリガトー", "ありがとー"),
        ("東京", "とうきょう", "トーキョー"),
        ("先生", "せんせい", "センセー"),
        ("停止", "テーシ", "ていし"),
        ("右を向いて", "ミギオムイテ", "みぎをむいて"),
        ("前へ", "マエエ", "まえへ"),
        ("50センチ", "５０ｃｍ", "五十センチ"),
        ("1.5メートル", "一点五メートル"),
        ("座って、ください！", "座ってください"),
        ("何ができる", "ナニガデキル"),
    ],
)
def test_what_sounds_the_same_reads_the_same(same: tuple[str, ...]) -> None:
    """Kanji, hiragana, katakana and digits of one utterance have one key."""
    assert len({reading(text) for text in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("モートメテ", "モトメテ"),
        ("ハート", "鳩"),
        ("マートメテ", "まとめて"),
        ("座っていい", "座って"),
        ("解除", "会場"),
        ("すわっていいよ", "すわってえよ"),
        ("たっている", "たってえる"),
    ],
)
def test_what_sounds_different_stays_different(one: str, other: str) -> None:
    """Vowel length is kept, and て|い is a seam: without that these pairs would be the same."""
    assert reading(one) != reading(other)


@pytest.mark.parametrize(
    "text",
    ["座ってからいい子にして", "前に一メートル進んで", "クラウディア、挨拶して", "そのあと踊って", "ハート、お手"],
)
def test_keys_of_words_side_by_side_are_the_key_of_the_sentence(text: str) -> None:
    """A transcript without gaps reads like the written text, also where vowels meet at a seam."""
    assert reading(pronounced(text)) == reading(text)


@given(KANA)
def test_folding_twice_changes_nothing(text: str) -> None:
    """A key is its own key."""
    assert fold(fold(text)) == fold(text)
    assert reading(fold(text)) == reading(reading(fold(text)))


@given(KANA)
def test_shortening_is_idempotent_and_never_longer(text: str) -> None:
    """Dropping length twice changes nothing more."""
    key = fold(text)
    assert shorten(shorten(key)) == shorten(key)
    assert len(unstretched(key)) <= len(key)


def test_loose_keys_are_long_enough_to_be_words() -> None:
    """A short word is never compared without its vowel length: ハート is not 鳩."""
    assert loose(fold("ハート")) == ""
    assert loose(fold("ストーップ")) == "ストップ"


@pytest.mark.parametrize("text", ["", " ", "。！？", "\ud800", "\x00\x1b[2J", "😀", "\u202e", "ー" * 50, "ッ"])
def test_nothing_pronounceable_gives_no_key(text: str) -> None:
    """Punctuation, control characters, emoji and lone surrogates read as nothing (or as no kana)."""
    assert not set(reading(text)) & set("アイウエオ")


def test_long_text_is_cut_and_says_so() -> None:
    """Input beyond the bound is cut before anything reads it, and the cut is reported."""
    heard = hear("座って" * 100_000)
    assert heard.truncated
    assert len(heard.text) <= MAX_CHARS


def test_clauses_are_cut_at_punctuation_but_not_behind_a_quotation() -> None:
    """A closing bracket followed by と is no boundary: someone reports what was said."""
    assert hear("だめ、座らないで").clauses == ("ダメ", "スワラナイデ")
    assert hear("「止まって」と言った").clauses == (reading("止まってと言った"),)


def test_reading_from_several_threads_gives_the_same_keys() -> None:
    """The loop and the stop listener may read at the same time."""
    texts = ["座ってください", "三回挨拶して", "電車が止まっている"] * 20
    expected = [reading(t) for t in texts]
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append([reading(t) for t in texts])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_every_number_below_a_thousand_survives_the_way_through_kanji() -> None:
    """Digits → kanji → spoken kana → the same value, 八十 (ヤソ in the dictionary) and 八百三 (ヤオミ) among them."""
    lost = [n for n in range(1000) if numerals.value(reading(f"{n}度").removesuffix("ド")) != n]
    assert lost == []


@pytest.mark.parametrize("spoken", ["イチニ", "ジュウジュウ", "レエジュウ", "ヒャクセン", "テンゴ", "ジュウヒャク", ""])
def test_words_that_are_no_number_have_no_value(spoken: str) -> None:
    """Digits in a row and scales in the wrong order are refused, not guessed at."""
    assert numerals.value(spoken) is None
