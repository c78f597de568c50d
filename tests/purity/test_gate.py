from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.errors import DataError
from claudiad.purity.filter import purify
from claudiad.purity.gate import gate, is_clean, is_japanese_kanji, speakable
from claudiad.purity.tables import (
    chinese,
    rare_words,
    read_leanings,
    read_rows,
    read_verbs,
    spoken,
    variants,
    vocabulary,
)

# Pieces that models really produce, so that random texts meet the gate's rules and not only its last filter.
WORDS = """\
<think> </think> ``` ** __ { } "reply":" はい 立ちます 。 、 ！ ? - 1. # [ ]( ) | https://a.b/c 然后 很好 这 么 OK Go2
hello 한국 85% -5℃ 10:30 ~ … 😊 1,000 . 5 ー ・ 「 」 ﾊﾝ 﨑 (笑)"""
PIECES = st.sampled_from([*WORDS.split(), "\n", " ", "- ", "# ", "\x00", "\u202e", "\u3099"])
TEXTS = st.text() | st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join)


@given(TEXTS)
def test_whatever_goes_in_only_allowed_characters_come_out(text: str) -> None:
    """Every character of the gate's result is on the allow-list."""
    assert [c for c in gate(text) if not is_clean(c)] == []


@given(TEXTS)
def test_the_result_is_empty_or_can_be_spoken(text: str) -> None:
    """The gate never returns marks alone."""
    said = gate(text)
    assert said == "" or speakable(said)


@given(TEXTS)
def test_the_gate_leaves_its_own_output_alone(text: str) -> None:
    """A second pass changes nothing."""
    once = gate(text)
    assert gate(once) == once


@given(
    st.lists(
        st.sampled_from(["今日は", "右に", "犬が", "アンコ", "ぱ", "ャッ", "歩く", "座って", "ニャー"]), min_size=1
    )
)
def test_plain_japanese_is_untouched(words: list[str]) -> None:
    """Kana and kanji without marks come out as they went in."""
    assert gate("".join(words)) == "".join(words)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>用户说你好</think>はい、立ちます！", "はい、立ちます！"),
        ("考えています</think>はい。", "はい。"),
        ("はい。<think>まだ考えている", "はい。"),
        ('```json\n{"reply": "こんにちは", "action": "hello"}\n```', "こんにちは"),
        ('{"action": "sit", "reply": "座ります。"}', "座ります。"),
        ('{"reply": "座りま', "座りま"),
        ("```python\nprint(1)\n```", ""),
        ("# 見出し\n- **一つ**目\n- 二つ目", "見出し。一つ目。二つ目"),
        ("[ここ](https://example.com)を見て", "ここを見て"),
        ("https://example.com/を見て、はい", "を見て、はい"),
        ("電池は85%です😊", "電池は85パーセントです"),
        ("１．５ｍ歩いて、1,000回", "1.5メートル歩いて、1000回"),
        ("気温は-5℃です", "気温はマイナス5度です"),
        ("10:30に起きる", "10時30分に起きる"),
        ("10〜20秒", "10から20秒"),
        ("ﾊﾝｶｸ｡", "ハンカク。"),
        ("OK！Go2です。", "オーケー！ゴーツーです。"),
        ("すごい！！？", "すごい？"),
        ("はい\x00い\u202eえ", "はいいえ"),
        ("😊", ""),
        ("。。、", ""),
        ("", ""),
    ],
)
def test_packaging_is_taken_off(text: str, said: str) -> None:
    """Thoughts, code, JSON, Markdown, links, emoji and signs go or become words; the Japanese stays."""
    assert gate(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("然后座ります", "それから座ります"),
        ("但是、行きます", "でも、行きます"),
        ("谢谢！", "ありがとう！"),
        ("好的，我来帮你。座りますね。", "はい。座りますね。"),
        ("今天天气很好。散歩に行きましょう。", "散歩に行きましょう。"),
        ("我说这么多吧", ""),
        ("友好的な犬です。", "友好的な犬です。"),
        ("是非、立ってください。", "是非、立ってください。"),
        ("Hello world! はい。", "はい。"),
        ("はい。Wow!", "はい。"),
        ("안녕하세요。はい。", "はい。"),
    ],
)
def test_other_languages_are_translated_or_left_out(text: str, said: str) -> None:
    """Known Chinese words are said in Japanese, other foreign clauses not at all, and look-alikes in Japanese stay."""
    assert gate(text) == said


@pytest.mark.parametrize("character", "說们这么吧你说扑")
def test_chinese_kanji_are_not_japanese(character: str) -> None:
    """Kanji outside JIS X 0208 are refused."""
    assert not is_japanese_kanji(character)


@pytest.mark.parametrize("character", "剝噓塡瘦髙﨑頰擦然后犬")
def test_japanese_kanji_are_kept(character: str) -> None:
    """JIS X 0208 and the allowed kanji beyond it pass, also through the normalisation."""
    assert is_japanese_kanji(character)
    assert gate(f"{character}です") == f"{character}です"


def test_what_the_tables_say_is_itself_clean() -> None:
    """No replacement brings in a character that the gate would refuse."""
    said = [*chinese().words.values(), *chinese().whole.values(), *spoken().units.values(), *spoken().words.values()]
    assert [text for text in said if not all(map(is_clean, text))] == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("word\t然后", "t.tsv:2: 3 columns"),
        ("wort\t然后\tそれから", "t.tsv:2: unknown kind 'wort'"),
        ("word\t\tそれから", "t.tsv:2: the written form is empty"),
        ("word\t但是\tだが", "t.tsv:2: '但是' is there already"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(row: str, fault: str) -> None:
    """A fault in a table is a DataError with file and line."""
    with pytest.raises(DataError, match=f"^{fault}"):
        read_rows("t.tsv", f"word\t但是\tでも\n{row}\n", ("word",))


@pytest.mark.parametrize("table", [chinese().words, chinese().whole, chinese().joins, spoken().words, spoken().letters])
def test_what_the_tables_say_stays_as_it_is(table: Mapping[str, str]) -> None:
    """What is said instead of a word is pure itself: no table needs another one behind it."""
    assert [said for said in table.values() if said and not purify(f"{said}です").pure] == []


def test_every_verb_has_clean_forms_for_what_follows_it() -> None:
    """します, して, した, する and しない behind a Chinese verb give its Japanese forms."""
    assert [gate(f"跳舞{tail}") for tail in ("します", "して", "した", "する", "しないで", "しながら")] == [
        "踊ります", "踊って", "踊った", "踊る", "踊らないで", "踊りながら",
    ]  # fmt: skip
    forms = [form for verb in chinese().verbs.values() for form in verb]
    assert [form for form in forms if not purify(form).pure] == []


def test_no_word_of_the_vocabulary_is_rare_japanese() -> None:
    """The Chinese vocabulary and the rare Japanese words have nothing in common, and both are in Japanese kanji."""
    assert vocabulary() & rare_words() == set()
    assert all(all(map(is_japanese_kanji, word)) for word in vocabulary() | rare_words())


def test_japanese_shapes_are_japanese() -> None:
    """Each variant leads from a character that Japanese has not to one that it has."""
    assert all(is_japanese_kanji(new) and not is_japanese_kanji(old) for old, new in variants().items())


def test_a_malformed_table_of_log_odds_or_verbs_is_named() -> None:
    """A fault in a generated or hand-made table is a DataError with its place."""
    with pytest.raises(DataError, match=r"^k\.tsv:1: log odds are whole numbers"):
        read_leanings("k.tsv", "一\t1.5\t2\n")
    with pytest.raises(DataError, match=r"^c\.tsv: '坐下': stem"):
        read_verbs("c.tsv", {"坐下": "座り 座って"})
