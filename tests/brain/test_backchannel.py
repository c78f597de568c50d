"""あいづち, laughter and coughs; and everything that is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.backchannel import BackchannelTable, is_backchannel, load_backchannels
from claudiad.brain.router import Router
from claudiad.errors import DataError
from tests.brain.conftest import DANCING, STANDING, pronounced, write
from tests.brain.test_router import ANYTHING, BROKEN, KANA, SPOKEN

TABLE = load_backchannels()

HEARD = [
    *(
        "うん",
        "うんうん",
        "うんうんうん",
        "はい",
        "はいはい",
        "はいはいはい",
        "ええ",
        "へえ",
        "へー",
        "へえー",
        "ふーん",
    ),
    *("ほー", "なるほど", "なるほどー", "なるほどね", "そうなんだ", "そうなんですか", "そっか", "そうか", "そうだね"),
    *("そうですね", "あー", "おー", "わあ", "まじ", "マジで", "本当", "ほんとに", "ふむふむ", "ああ、なるほど"),
    *(
        "うん、なるほど",
        "へえ、そうなんだ",
        "あ、そうなんだ",
        "ハハハ",
        "はははは",
        "ふふ",
        "ふふふ",
        "あはは",
        "ヘヘ",
        "えへへ",
    ),
    *("うふふ", "ゴホゴホ", "コホン", "エヘン", "ハックション", "ゴホン、ゴホン", "うん。", "へえ！"),
]
NOT_HEARD = [
    *(
        "",
        "いいえ",
        "いえ",
        "ううん",
        "うーん",
        "うーうん",
        "いや",
        "いやいや",
        "だめ",
        "違う",
        "ちがうちがう",
        "やめて",
    ),
    *(
        "止まって",
        "ストップ",
        "待って",
        "もういい",
        "動くな",
        "座って",
        "はい、座って",
        "うん、座って",
        "はいはい、座って",
    ),
    *("すごい", "可愛い", "さすが", "ありがとう", "分かった", "もう一回", "笑って", "はいチーズ", "クラウディア"),
    *(
        *("はい、いいえ", "はいいいえ", "うんううん"),
        "なに",
        "え、なに",
        "うんざり",
        "はいはいして",
        "ええ加減にして",
        "うわあ",
        "きゃあ",
        "おはよう",
        "おい",
        "うるさい",
    ),
]


@pytest.mark.parametrize("form", [str, pronounced], ids=["written", "pronounced"])
@pytest.mark.parametrize("text", HEARD)
def test_a_listener_s_word_is_one(text: str, form: Callable[[str], str]) -> None:
    """Alone, repeated, drawn out, and one behind the other; as written and as pronounced."""
    assert is_backchannel(form(text), TABLE)


@pytest.mark.parametrize("form", [str, pronounced], ids=["written", "pronounced"])
@pytest.mark.parametrize("text", NOT_HEARD)
def test_a_no_a_stop_a_command_and_praise_are_none(text: str, form: Callable[[str], str]) -> None:
    """Nor is anything with such a word in it."""
    assert not is_backchannel(form(text), TABLE)


def test_pardon_is_none() -> None:
    """はい？ asks to be told again; へえ？ and まじ？ do not."""
    assert not is_backchannel("はい？", TABLE)
    assert not is_backchannel("うん？", TABLE)
    assert is_backchannel("へえ？", TABLE)
    assert is_backchannel("マジ？", TABLE)


def test_a_laugh_may_be_written_in_brackets() -> None:
    """(笑), but not 笑い, nor a smile that is asked for."""
    assert is_backchannel("(笑)", TABLE)
    assert is_backchannel("（笑）", TABLE)
    assert not is_backchannel("笑い", TABLE)


@pytest.mark.parametrize("word", sorted(TABLE.words))
def test_no_word_of_the_table_stops_or_moves_anything(word: str, router: Router) -> None:
    """Once and twice, standing and dancing; and drawn out, where it still is one.

    Near misses are left out, as `is_backchannel` comes before them: ハイハイ is nearly バイバイ.
    """
    assert is_backchannel(word, TABLE)
    assert is_backchannel(word * 2, TABLE)
    for text in (word, word * 2, word + "ー"):
        for state in (STANDING, DANCING) if is_backchannel(text, TABLE) else ():
            decision = router.decide(text, state)
            assert decision.route != "emergency"
            assert decision.route == "semantic" or decision.kind != "action"


WORDS = st.lists(st.sampled_from(sorted(TABLE.words)), min_size=1, max_size=5)


@given(WORDS, st.sampled_from(["", "、", "。", " "]))
@settings(max_examples=500, deadline=None)
def test_words_may_follow_one_another(words: list[str], joint: str) -> None:
    """In any order, with or without punctuation."""
    text = joint.join(words)
    assert is_backchannel(text, TABLE) or len(text) > 60


@given(WORDS, st.sampled_from(["座って", "やめて", "違う", "クラウディア", "いいえ", "三", "すごい"]))
@settings(max_examples=300, deadline=None)
def test_anything_else_behind_or_before_them_is_an_utterance(words: list[str], other: str) -> None:
    """うん、座って wants something."""
    said = "、".join(words)
    assert not is_backchannel(f"{said}、{other}", TABLE)
    assert not is_backchannel(f"{other}、{said}", TABLE)


@given(ANYTHING | BROKEN | KANA)
@settings(max_examples=1500, deadline=None)
def test_no_text_raises(text: str) -> None:
    """Whatever it is: one or the other, and the same again."""
    assert is_backchannel(text, TABLE) is is_backchannel(text, TABLE)


@given(SPOKEN)
@settings(max_examples=800, deadline=None)
def test_what_moves_or_stops_it_is_none(router: Router, text: str) -> None:
    """An exact command and a stop are always heard."""
    for state in (STANDING, DANCING):
        decision = router.decide(text, state)
        if decision.actions and decision.route != "semantic":
            assert not is_backchannel(text, TABLE)


@pytest.mark.parametrize("unit", ["うん", "ハ", "、", "うん座って", "あ"])
def test_a_long_utterance_is_more_than_one(unit: str) -> None:
    """Up to 100 kB, in bounded time."""
    assert not is_backchannel(unit * 30_000, TABLE)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("yes", "1 columns"),
        ("no\tいいえ", "unknown kind 'no'"),
        ("yes\t{うん,はい", "a brace is not closed"),
        ("yes\t{うん,}", "a word is empty"),
        ("yes\tっ", "a word is empty"),
        ("written\t!", "a word is empty"),
    ],
)
def test_a_faulty_line_is_named(row: str, fault: str, tmp_path: Path) -> None:
    """File, line and what is wrong."""
    path = write(tmp_path, f"# c\nyes\tうん\n{row}\n")
    with pytest.raises(DataError, match=f":3: .*{fault}"):
        load_backchannels(path)


def test_an_empty_table_knows_nothing(tmp_path: Path) -> None:
    """Without words, nothing is a backchannel."""
    empty: BackchannelTable = load_backchannels(write(tmp_path, "# nothing\n"))
    assert not is_backchannel("うん", empty)
    assert not is_backchannel("", empty)
