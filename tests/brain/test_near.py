"""Near misses: what a slip of tongue or recogniser is taken for, and what is never guessed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain.kana import fold
from claudiad.brain.near import (
    LENGTHS,
    LONGEST,
    Difference,
    Guess,
    Near,
    confidence,
    is_word,
    load_confidences,
    skeleton,
)
from claudiad.brain.phrases import Phrase, load_phrases
from claudiad.brain.reading import hear, reading
from claudiad.brain.router import ACTS, ASKS, Router, Tables
from claudiad.errors import DataError
from claudiad.types import Decision
from tests.brain.conftest import ACTIONS, STANDING, calls, fault, pronounced

Decide = Callable[[str], Decision]
Index = Callable[[str], Near]

ALL_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
ALL_KANA += "ッガギグゲゴザジズゼゾダデドバビブベボパピプペポャュョー"
VOICED = {
    v: k for k, v in zip("カキクケコサシスセソタテトハヒフヘホ", "ガギグゲゴザジズゼゾダデドバビブベボ", strict=True)
}


@pytest.fixture
def index(tmp_path: Path, tables: Tables) -> Index:
    """An index of a few phrases, one a line: phrase and action."""

    def build(text: str) -> Near:
        path = tmp_path / "phrases.tsv"
        rows = (line.split() for line in text.splitlines() if line)
        path.write_text("".join(f"{phrase}\t{action}\tはい。\n" for phrase, action in rows), encoding="utf-8")
        return Near(load_phrases([path], ACTIONS).keyed, tables.edges)

    return build


def guess_at(tables: Tables, said: str, start: int, end: int) -> Guess:
    phrase = next(p for p in tables.phrases.all if p.text == "座って")
    return (
        Guess(phrase, "sound", "asked", 3, start, end)
        if said == "sound"
        else Guess(phrase, "kana", "asked", 5, start, end)
    )


@pytest.mark.parametrize(
    ("key", "bones"),
    [
        ("スワッテ", "スワテ"),
        ("ジャンプ", "シャンフ"),
        ("シャンプウ", "シャンフ"),
        ("ハアト", "ハト"),
        ("オドッテ", "オトテ"),
        ("ユックリ", "ユクリ"),
        ("ソオソオ", "ソソ"),
        ("テイシ", "テイシ"),
        ("", ""),
    ],
)
def test_a_skeleton_has_no_length_no_small_tsu_and_no_voice(key: str, bones: str) -> None:
    """What a mediocre recogniser gets wrong first makes no difference in it."""
    assert skeleton(key) == bones


@given(st.text(ALL_KANA, max_size=20), st.integers(0, 20))
def test_slips_of_sound_keep_the_skeleton(text: str, at: int) -> None:
    """A lost voice, a small っ more or less, a last vowel drawn out; and a skeleton is its own."""
    key = fold(text)
    bones = skeleton(key)
    assert skeleton(bones) == bones
    assert skeleton("".join(VOICED.get(c, c) for c in key)) == skeleton("".join(VOICED.get(c, c) for c in bones))
    assert skeleton(key[:at] + "ッ" + key[at:]) == skeleton(key[:at] + key[at:])
    assert skeleton(key.replace("ッ", "")) == bones


FEW = "座って Sit\n挨拶 Hello\n逆立ちして StandUp\n伏せ StandDown\n手を振って Hello\n"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("スワテ", "座って length asked 3 at 0-3"),
        ("スワッデ", "座って sound asked 3 at 0-4"),
        ("スワテクダサイ", "座って length asked 3 at 0-3"),
        ("クラウディアスワテ", "座って length asked 3 at 6-9"),
        ("スワテクダイ", "座って length asked 3 at 0-3"),
        ("サカタチシテ", "逆立ちして sound asked 6 at 0-6"),
        ("サカダリシテ", "逆立ちして kana asked 6 at 0-6"),
        ("サカダシテ", "逆立ちして kana asked 5 at 0-5"),
        ("サカダンチシテネ", "逆立ちして kana asked 6 at 0-7"),
        ("アイザツ", "挨拶 sound bare 4 at 0-4"),
        ("アイザツシテ", "挨拶 sound asked 4 at 0-4"),
        ("アイサスオシテクダサイ", "挨拶 kana asked 4 at 0-4"),
        ("アイサス", "挨拶 kana bare 4 at 0-4"),
    ],
)
def test_the_nearest_phrase_is_found_in_its_surroundings(key: str, expected: str, index: Index) -> None:
    """Behind names, before politeness, with what tells how far the guess may be believed."""
    guess = index(FEW).find(key)
    assert guess is not None
    kind = f"{guess.phrase.text} {guess.difference} {guess.frame} {guess.length}"
    assert f"{kind} at {guess.start}-{guess.end}" == expected


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ス",
        "フゼ",
        "スマッテ",
        "スワッテカラ",
        "ソワッデ",
        "サカグリシテ",
        "アリサス",
        "スワル",
        "スワッタ",
        "スワテイル",
        "モシスワテ",
    ],
)
def test_what_is_too_short_or_too_far_is_not_guessed(key: str, index: Index) -> None:
    """Two kana wrong, one of three wrong, a phrase of two kana, another form, or unknown company."""
    assert index(FEW).find(key) is None


def test_two_phrases_that_do_different_things_are_none(index: Index) -> None:
    """アスンデ is one kana from 進んで and one from 休んで; with one action for both it is that."""
    assert index("進んで Sit\n休んで StandDown\n").find("アスンデ") is None
    guess = index("進んで Sit\n休んで Sit\n").find("アスンデ")
    assert guess is not None
    assert calls_of(guess.phrase) == ["Sit"]
    near = index("進んで Sit\n休んで StandDown\n").find("ヤスンテ")
    assert near is not None, "what differs by sound alone is nearer than what differs by a kana"
    assert near.phrase.text == "休んで"


def calls_of(phrase: Phrase) -> list[str]:
    return [a.name for a in phrase.actions]


def test_only_phrases_that_move_and_are_neither_short_nor_long_are_indexed(tables: Tables, tmp_path: Path) -> None:
    """Talk is never guessed at, nor is what is longer than `LONGEST`."""
    path = tmp_path / "phrases.tsv"
    long = "あいうえかきくけさしすせたちつてと"
    assert len(skeleton(reading(long))) > LONGEST
    path.write_text(f"名前は何ですか\t-\tはい。\n{long}\tSit\tはい。\n", encoding="utf-8")
    near = Near(load_phrases([path], ACTIONS).keyed, tables.edges)
    assert near.find("ナマエワナンテスカ") is None
    assert near.find(reading(long)[:-1]) is None


@pytest.mark.parametrize(
    ("text", "span", "word"),
    [
        ("サワッテ", (0, 4), True),
        ("触って", (0, 4), True),
        ("洗濯", (0, 4), True),
        ("スワテ", (0, 3), False),
        ("ユクリアルイテ", (0, 7), False),
        ("ネエサワッテ", (2, 6), True),
        ("ネエサワッテ", (1, 6), False),
        ("座らて", (1, 4), False),
    ],
)
def test_a_word_that_is_done_was_probably_said(text: str, span: tuple[int, int], word: bool, tables: Tables) -> None:
    """A te-form or a noun of doing that fills the place exactly; not what the tokeniser does not know."""
    assert is_word(hear(text), guess_at(tables, "sound", *span)) is word


def test_a_recogniser_that_writes_kanji_slips_from_word_to_word(tables: Tables) -> None:
    """There another kana is another word, whatever the tokeniser makes of it."""
    assert is_word(hear("座らて"), guess_at(tables, "kana", 1, 4))
    assert not is_word(hear("スワラテ"), guess_at(tables, "kana", 1, 4))


def believing(tables: Tables, sure: float) -> Router:
    """A router for which every kind of near miss proved right that often."""
    kinds = [(d, f, n) for d in get_args(Difference) for f in ("asked", "bare") for n in LENGTHS]
    return Router(replace(tables, confidences=dict.fromkeys(kinds, sure)))


@pytest.mark.parametrize("text", ["スワテ", "ユクリアルイテ", "アイサスシテ", "オトッテクダサイ"])
def test_a_guess_is_done_asked_back_or_dropped_by_what_it_is_worth(text: str, tables: Tables) -> None:
    """From `ACTS` on it acts, from `ASKS` on it asks, and a yes then does what was asked; below it is nothing."""
    acted, asked, dropped = (
        believing(tables, sure).decide(text, STANDING) for sure in (ACTS, ACTS - 0.01, ASKS - 0.01)
    )
    assert (acted.route, acted.kind, acted.confidence) == ("semantic", "action", ACTS)
    assert acted.actions
    assert acted.rule.startswith("near: ")
    assert (asked.route, asked.kind, asked.actions, asked.asked) == ("semantic", "dialog", (), acted.actions)
    assert asked.reply.endswith("で合っていますか？")
    assert (dropped.route, dropped.actions, dropped.asked) == ("fallback", (), ())


@pytest.mark.parametrize("text", ["シャンプーして", "洗濯して", "触って", "サワッテ", "走らて"])
def test_a_word_is_asked_back_about_at_most_however_sure_the_table_is(text: str, tables: Tables) -> None:
    """Not even a kind of slip that was always right makes シャンプーして a jump."""
    decision = believing(tables, 1.0).decide(text, STANDING)
    assert decision.actions == ()
    assert ASKS < decision.confidence < ACTS or not decision.asked


VERBS = """
触って 登って 拾って 習って 掘って 言って 持って 買って 洗って 打って 祝って 怒って 送って 呼んで
読んで 並んで 選んで 温めて 改めて 深めて 始めて 閉めて 見せて 任せて 外して 貸して 返して 押して
消して 話して 放して 探して 渡して 食べて 飲んで 書いて 聞いて 開けて 閉じて 着て 脱いで 切って
貼って 塗って 縫って 編んで 焼いて 煮て 炒めて 揚げて 混ぜて 配って 集めて 片付けて 捨てて 拭いて
掃いて 磨いて 干して 畳んで 包んで 結んで 解いて 教えて 調べて 数えて 覚えて 忘れて 考えて 信じて
比べて 試して 使って 直して 壊して 届けて 投げて 蹴って 叩いて 引いて 押さえて 握って 吸って
吐いて 噛んで 舐めて 嗅いで 触れて 撫でて 乗って 降りて 入って 通って 渡って 泳いで 潜って 滑って
落ちて 浮かんで 沈んで 流れて 乾いて 燃えて 溶けて 光って 鳴って 咲いて 育って 太って 泣いて
叫んで 黙って 弾いて 吹いて 描いて 撮って 眺めて 隠れて 盗んで 守って 戦って 勝って 負けて 許して
謝って 願って 頼んで 誘って 迎えて 別れて 会って 勉強して 練習して 掃除して 料理して 電話して
連絡して 注文して 説明して 紹介して 相談して 質問して 返事して 確認して 検索して 印刷して 保存して
更新して 充電して 録音して 再生して 翻訳して 計算して 参加して 出席して 旅行して 運転して 修理して
交換して 移して 倒して 起こして 寝かせて 座らせて 歩かせて 曲げて 折って 割って 破って 絞って
注いで 詰めて 抜いて 刺して 載せて 被って 履いて 締めて 付けて 慣れて 倒れて 売って 払って 貯めて
借りて 足して 掛けて 測って 占って 迷って 困って
"""


@pytest.mark.parametrize(
    "verb",
    [
        *VERBS.split(),
        fault("あ is a filler: あ|たって", "当たって"),
        fault("ヨヤクシテ is one kana from 速くして, and no word is seen in it", "予約して"),
        fault("ショータイシテ is one kana from ちょうだいして, and no word is seen in it", "招待して"),
    ],
)
def test_no_other_verb_is_taken_for_a_command(verb: str, decide: Decide) -> None:
    """Written and as pronounced, bare and polite: asked back at most."""
    for text in (verb, f"{verb}ください", pronounced(verb), pronounced(f"{verb}ください")):
        assert decide(text).actions == (), text


@pytest.mark.parametrize(
    "text",
    [
        fault("nouns, and words over a seam, are no words to `is_word`", text)
        for text in [
            "シャンプー",
            "シャンプーシテ",
            "ステーキ",
            "ショッキング",
            "おとり",
            "さあ、行こう",
            "お、鳥",
            "ちょっとその",
        ]
    ],
)
def test_no_other_word_is_taken_for_a_command(text: str, decide: Decide) -> None:
    """A word of its own, said alone, is asked back about at most."""
    assert decide(text).actions == ()


def slips(key: str) -> Iterator[str]:
    """A key with one kana lost, replaced or put in, always the same ones; of short keys each kana is lost in turn."""
    dice = random.Random(key)
    n = len(key)
    for i in range(n) if n <= 6 else [dice.randrange(n)]:
        yield key[:i] + key[i + 1 :]
    for i in (dice.randrange(n), dice.randrange(n)):
        yield key[:i] + dice.choice(ALL_KANA) + key[i + 1 :]
        yield key[:i] + dice.choice(ALL_KANA) + key[i:]


ANOTHER = {
    # one kana makes another command of it, or a command with something in front
    "エコ": "EconomicGait",
    "オテ": "Hello",
    "オギヨ": "StandUp",
    "オドリマイ": "Dance1",
    "ゴッカイテン": "move yaw=31.4159",
    "スキ": "Heart",
    "ソオットヘコオシテ": "EconomicGait",
    "タカラモノ": "Heart",
    "ダンス": "Dance1",
    "ダンスウ": "Dance1",
    "アルキカタオモトニモドテ": "RecoveryStand",
    "ハヤア": "Hello",
    "ハネアルキ": "FreeBound data=true",
    "ハネテ": "FrontJump",
    "ハネメ": "FrontJump",
    "ミギニサガッテ": "move x=-0.3",
    "ヨオヤッ": "Hello",
    # one command becomes two
    "オスワリノカッコオカラコシオアゲレタッテ": "RiseSit | StandUp",
    "コシフレダンス": "WiggleHips | Dance1",
    "スワッテイトコカラコシオアゲテ": "Sit | StandUp",
    "スワッテトコカラタチアガッテ": "Sit | StandUp",
    "スワッテトコロカラコシオアゲテタッテ": "Sit | StandUp",
    "スワッテルルコロカラユックリタッテ": "Sit | StandUp",
    "ハヤクシデハシッテ": "SpeedLevel data=1 | TrotRun",
    "モノオサケテネアルイテ": "FreeAvoid data=true | move x=0.3",
    # a near miss of the wrong phrase
    "カベオサケイッテ": "Euler y=0.3",
    "ガショオ": "Scrape",
    "クットシテ": "Stretch",
    "ソクドオドシテ": "SpeedLevel data=-1",
    "ハアキオダシテ": "Hello",
    "ペタアン": "Sit",
    "ポオズオトデテ": "Pose data=true",
    "マッアシオオロシテ": "Sit",
}
"""What comes of the slips that do something else: 33 of some 20 000."""


def test_a_slip_does_what_was_meant_or_nothing(tables: Tables, router: Router) -> None:
    """One kana lost, replaced or put in anywhere in any phrase: its own action, a stop, nothing, or an exception.

    An exception is in the list above, or it is what the unharmed end of the phrase asks for by itself: nobody can hear
    that *** walking was to be a tiptoe. Of these there are fewer than two in a hundred.
    """
    phrases: dict[str, Phrase] = {}
    for phrase in tables.phrases.all:
        if phrase.actions and not phrase.text.startswith("="):
            phrases.setdefault(reading(phrase.text), phrase)
    tried = tails = 0
    wrong = {}
    for key, phrase in phrases.items():
        for slip in slips(key):
            tried += 1
            decision = router.decide(slip, STANDING)
            if not decision.actions or decision.actions == phrase.actions or decision.route == "emergency":
                continue
            if decision.route != "semantic" and _is_the_end(router, key, slip, decision):
                tails += 1
            else:
                wrong[slip] = calls(decision)
    assert tried > 15_000
    assert {slip: got for slip, got in wrong.items() if ANOTHER.get(slip) != got} == {}
    assert len(ANOTHER) <= 33
    assert tails < tried * 0.02


def _is_the_end(router: Router, key: str, slip: str, decision: Decision) -> bool:
    """True when what both keys end in asks for just that."""
    common = next((n for n in range(min(len(key), len(slip))) if key[-1 - n] != slip[-1 - n]), min(len(key), len(slip)))
    return any(router.decide(key[-n:], STANDING).actions == decision.actions for n in range(common, 1, -1))


def test_a_confidence_belongs_to_a_kind_and_a_class_of_length(tables: Tables) -> None:
    """The class is the longest that begins at or below the length; kinds never seen are worth nothing."""
    table = {("sound", "asked", 3): 0.3, ("sound", "asked", 5): 0.5, ("sound", "asked", 7): 0.7}
    guess = guess_at(tables, "sound", 0, 4)
    found = [confidence(replace(guess, length=n), table) for n in (2, 3, 4, 5, 6, 7, 16)]
    assert found == [0.0, 0.3, 0.0, 0.5, 0.5, 0.7, 0.7]
    assert confidence(replace(guess, frame="bare"), table) == 0.0


def test_confidence_is_laplaces_rule_of_succession(tmp_path: Path) -> None:
    """(right + 1) / (right + wrong + 2): never seen is even, never wrong is never certain."""
    path = tmp_path / "nearness.tsv"
    path.write_text("sound\tasked\t3\t0\t0\nkana\tbare\t5\t9\t1\nkana\tasked\t7\t98\t0\n", encoding="utf-8")
    assert load_confidences(path) == {
        ("sound", "asked", 3): 1 / 2,
        ("kana", "bare", 5): 10 / 12,
        ("kana", "asked", 7): 99 / 100,
    }


def test_the_shipped_confidences_are_probabilities_of_known_kinds(tables: Tables) -> None:
    """Every line is of a class that a guess can have."""
    assert all(length in LENGTHS and 0 < sure < 1 for (_, _, length), sure in tables.confidences.items())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# c\nsound\tasked\t3\t1\n", ":2: 4 columns"),
        ("sounds\tasked\t3\t1\t0\n", ":1: sounds asked; known: ('length', 'sound'"),
        ("kana\tasking\t3\t1\t0\n", ":1: kana asking; known:"),
        ("kana\tasked\tthree\t1\t0\n", ":1: the last three columns are whole numbers"),
        ("kana\tasked\t3\t1.5\t0\n", ":1: the last three columns are whole numbers"),
        ("kana\tasked\t3\t\t0\n", ":1: the last three columns are whole numbers"),
        ("kana\tasked\t3\t-1\t-1\n", ":1: the last three columns"),
        ("kana\tasked\t6\t1\t0\n", ":1: lengths begin at (3, 4, 5, 7)"),
    ],
)
def test_a_faulty_table_of_confidences_names_the_line(text: str, message: str, tmp_path: Path) -> None:
    """The message begins with the file and the line of the fault."""
    path = tmp_path / "nearness.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        load_confidences(path)
    assert str(error.value).startswith(f"{path}{message}")
