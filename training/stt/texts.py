"""Sentences for the speech model: robot talk, everyday talk that must not move it, and ROHAN for breadth.

Everything here is a generator of *surface* Japanese; readings come later from Open JTalk, so that what
is written as the target is exactly what is spoken. The same seed gives the same list.
"""

from __future__ import annotations

import itertools
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from claudiad.brain.tables import expand, rows

# Verb tables: te-form, imperative, continuative (masu stem), dictionary form.
_LISTS: dict[str, str] = tomllib.loads(Path(__file__).with_name("lists.toml").read_text(encoding="utf-8"))


def _words(name: str) -> list[str]:
    return _LISTS[name].split()


VERBS = [tuple(line.split()) for line in _LISTS["verbs"].splitlines() if line]

NOUNS = _words("nouns")

GREETINGS = _words("greetings")

PRAISE = _words("praise")

QUESTIONS = _words("questions")

TRAPS = _words("traps")

EVERYDAY_NOUNS = _words("everyday_nouns")
EVERYDAY_VERBS = _words("everyday_verbs")
SHORT = _words("short")
PARTICLES = ["が", "を", "に", "は", "も", "と", "で", "から", "まで", "の話は"]
TAILS = ["", "", "ね", "よ", "んです", "と思う", "かな", "らしい", "けど", "から", "そうです"]

# What may stand before and after a command without changing it.
FILLERS = [
    "えーと",
    "えっと",
    "あのー",
    "あの",
    "ねえ",
    "ねえねえ",
    "ほら",
    "じゃあ",
    "それじゃ",
    "さあ",
    "はい",
    "よし",
    "ちょっと",
    "うーん",
    "まあ",
    "おい",
    "すみません",
    "悪いけど",
    "今すぐ",
    "早く",
    "ゆっくり",
    "もう一回",
    "もう一度",
    "お願い",
]
NAMES = [
    "クラウディア",
    "ねえクラウディア",
    "クラちゃん",
    "クラウディアちゃん",
    "ねえクラちゃん",
    "ロボット",
    "ワンちゃん",
    "ポチ",
]
TE_ENDINGS = [
    "",
    "",
    "",
    "",
    "ください",
    "くださいね",
    "くれる",
    "くれる？",
    "くれない？",
    "くれますか",
    "くれませんか",
    "もらえる？",
    "もらえますか",
    "もらえませんか",
    "ちょうだい",
    "ほしい",
    "ほしいな",
    "ほしいです",
    "いただけますか",
    "いただけませんか",
    "よ",
    "ね",
    "みて",
    "みてください",
    "みせて",
    "くださいます",
    "くれないかな",
    "くれよ",
    "ごらん",
    "もいいよ",
    "いいよ",
]
STEM_ENDINGS = ["なさい", "なさいよ", "ましょう", "ます", "なよ"]
IMP_ENDINGS = ["", "", "よ", "ってば"]
DICT_ENDINGS = ["", "んだ", "んだよ", "の", "こと", "ように", "のをお願い", "の見せて"]
NOUN_ENDINGS = [
    "",
    "",
    "",
    "",
    "して",
    "してください",
    "お願い",
    "お願いします",
    "をお願い",
    "だよ",
    "しよう",
    "を見せて",
    "やって",
    "をして",
    "してくれる？",
    "してちょうだい",
    "できる？",
]

DIGITS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"]
DIRECTIONS = ["前に", "前へ", "後ろに", "後ろへ", "右に", "左に", "右へ", "左へ", "まっすぐ", "手前に", "こっちに", ""]
MOVES = [
    "進んで",
    "下がって",
    "歩いて",
    "動いて",
    "行って",
    "移動して",
    "前進して",
    "後退して",
    "バックして",
    "進め",
    "下がれ",
    "歩け",
    "進む",
    "来て",
]
TURNS = ["回って", "曲がって", "向いて", "回転して", "旋回して", "ターンして", "回れ", "曲がれ", "回転しろ"]
CONNECT_TE = [
    "",
    "",
    "",
    "から",
    "、それから",
    "、そして",
    "、そのあと",
    "、次に",
    "、最後に",
    "、そのあとで",
    "、その後",
]
PRE = ["", "", "", "まず", "最初に", "はじめに", "先に"]
POLITE_TAIL = ["", "", "", "ください", "ね", "くれる？", "ちょうだい", "もらえますか", "くれますか", "ほしい", "よ"]

ENGLISH = [
    "シットダウン",
    "スタンドアップ",
    "ストップ",
    "ハロー",
    "ダンス",
    "ゴー",
    "カムヒア",
    "レフト",
    "ライト",
    "フォワード",
    "バック",
]


def number(rng: random.Random, top: int) -> str:
    """A cardinal written in kanji, 1..top, read naturally by Open JTalk."""
    n = rng.randint(1, top)
    if n <= 10:
        return DIGITS[n - 1]
    out = ""
    if n >= 100:
        out += ("" if n // 100 == 1 else DIGITS[n // 100 - 1]) + "百"
        n %= 100
    if n >= 10:
        out += ("" if n // 10 == 1 else DIGITS[n // 10 - 1]) + "十"
        n %= 10
    return out + (DIGITS[n - 1] if n else "")


def command(rng: random.Random) -> str:
    kind = rng.random()
    te, imp, stem, dic = rng.choice(VERBS)
    if kind < 0.52:
        body = te + rng.choice(TE_ENDINGS)
    elif kind < 0.64:
        body = imp + rng.choice(IMP_ENDINGS)
    elif kind < 0.71:
        body = stem + rng.choice(STEM_ENDINGS)
    elif kind < 0.77:
        body = dic + rng.choice(DICT_ENDINGS)
    else:
        body = rng.choice(NOUNS) + rng.choice(NOUN_ENDINGS)
    return body


def table_phrases(data: Path = Path(__file__).parents[2] / "claudiad" / "data") -> list[str]:
    """Every phrase the router knows: the tables that ship are also what the model must be able to hear."""
    out = [phrase for _, cells in rows(data / "phrases.tsv", 3, 4) for phrase in expand(cells[0])]
    out += [text for _, (kind, text, _) in rows(data / "stops.tsv", 3) if kind in {"word", "said", "release"}] * 2
    return [p for p in out if not p.startswith("=")]  # English and Chinese are not spoken here


_TABLE: list[str] = []


def from_table(rng: random.Random) -> str:
    if not _TABLE:
        _TABLE.extend(table_phrases())
    phrase = rng.choice(_TABLE)
    if phrase.endswith(("て", "で")):
        return phrase + rng.choice(TE_ENDINGS)
    return phrase + (rng.choice(NOUN_ENDINGS) if rng.random() < 0.4 else "")


def dressed(rng: random.Random, body: str) -> str:
    p = rng.random()
    if p < 0.14:
        return rng.choice(FILLERS) + "、" + body
    if p < 0.27:
        return rng.choice(NAMES) + "、" + body
    if p < 0.30:
        return body + "、" + rng.choice(NAMES)
    if p < 0.33:
        return rng.choice(FILLERS) + "、" + rng.choice(NAMES) + "、" + body
    return body


def short(rng: random.Random) -> str:
    """Two or three kana are the hardest to hear, and the commonest commands: 伏せ, お手, 待て, 立て."""
    word = rng.choice(SHORT)
    return rng.choice(["", "", "", "はい、", "はい、", "さあ、", "ほら、", "ねえ、", "クラちゃん、"]) + word


def stop(rng: random.Random) -> str:
    words = [
        "止まって",
        "止まれ",
        "ストップ",
        "やめて",
        "待って",
        "待て",
        "止めて",
        "動くな",
        "緊急停止",
        "停止",
        "だめ",
        "危ない",
        "やめろ",
        "やめなさい",
        "止まりなさい",
        "止まってください",
        "やめてください",
        "待ってください",
        "ちょっと待って",
        "そこまで",
        "非常停止",
        "とまれー",
        "ストーップ",
        "止まってー",
        "やめろー",
        "待てー",
        "動かないで",
        "やめ",
        "やめてよ",
        "もうやめて",
        "もういい",
    ]
    return "、".join(rng.choice(words) for _ in range(rng.choice([1, 1, 1, 2, 2, 3])))


def sequence(rng: random.Random) -> str:
    n = rng.choice([2, 2, 2, 3, 3, 4])
    verbs = rng.sample(VERBS, n)
    if rng.random() < 0.12:
        return f"{verbs[1][3]}前に{verbs[0][0]}" + rng.choice(POLITE_TAIL)
    if rng.random() < 0.12:
        past = re.sub("て$", "た", re.sub("で$", "だ", verbs[0][0]))
        return past + rng.choice(["ら", "後で", "あとに"]) + verbs[1][0] + rng.choice(POLITE_TAIL)
    parts = []
    for i, v in enumerate(verbs):
        step = motion(rng, polite=False) if rng.random() < 0.15 else v[0]
        last = i == n - 1
        if last and rng.random() < 0.25:
            step = v[1]
        parts.append(
            step
            + (
                rng.choice(POLITE_TAIL)
                if last and step.endswith(("て", "で"))
                else ""
                if last
                else rng.choice(CONNECT_TE)
            )
        )
    return rng.choice(PRE) + "".join(
        p + ("、" if rng.random() < 0.3 and i < n - 1 else "") for i, p in enumerate(parts)
    )


def motion(rng: random.Random, polite: bool = True) -> str:
    p = rng.random()
    if p < 0.30:
        amount = number(rng, 5) + rng.choice(["メートル", "メートル半", "メーター", "メートルだけ"])
        if rng.random() < 0.15:
            amount = rng.choice(["半メートル", "一点五メートル", "二点五メートル", "〇点五メートル"])
    elif p < 0.50:
        amount = rng.choice(
            [number(rng, 10), number(rng, 300), number(rng, 30) + "十", "百", "五十", "三十", "二十", "八十"]
        )
        amount = (number(rng, 300) if amount.endswith("十十") else amount) + rng.choice(
            ["センチ", "センチメートル", "センチほど", "センチだけ"]
        )
    elif p < 0.62:
        amount = number(rng, 10) + rng.choice(["歩", "歩だけ", "歩ほど"])
    elif p < 0.68:
        amount = number(rng, 10) + "秒" + rng.choice(["間", "", "だけ"])
    elif p < 0.86:
        degrees = rng.choice(
            [number(rng, 360), "九十", "四十五", "百八十", "三百六十", "三十", "六十", "百二十", "二百七十", "十五"]
        )
        body = (
            rng.choice(["右に", "左に", "右へ", "左へ", "時計回りに", "反時計回りに", ""])
            + degrees
            + "度"
            + rng.choice(TURNS)
        )
        return body + (rng.choice(POLITE_TAIL) if polite and body.endswith(("て", "で")) else "")
    elif p < 0.93:
        body = (
            rng.choice(["右に", "左に", "その場で", ""])
            + number(rng, 3)
            + rng.choice(["回転して", "回回って", "周して", "周回って", "回転"])
        )
        return body + (rng.choice(POLITE_TAIL) if polite and body.endswith(("て", "で")) else "")
    else:
        body = number(rng, 5) + "回" + rng.choice(VERBS)[0]
        return body + (rng.choice(POLITE_TAIL) if polite else "")
    move = rng.choice(MOVES)
    d = rng.choice(DIRECTIONS)
    body = d + amount + move if rng.random() < 0.4 else amount + d + move
    return body + (rng.choice(POLITE_TAIL) if polite and body.endswith(("て", "で")) else "")


def social(rng: random.Random) -> str:
    return rng.choice(rng.choice([GREETINGS, PRAISE, PRAISE, QUESTIONS, QUESTIONS])) + rng.choice(
        ["", "", "", "ね", "よ"]
    )


def trap(rng: random.Random) -> str:
    p = rng.random()
    if p < 0.6:
        return rng.choice(TRAPS) + rng.choice(["", "", "ね", "よ", "よね"])
    te, _imp, stem, dic = rng.choice(VERBS)
    return rng.choice(
        [
            te + "いる",
            te + "いました",
            te + "はいけない",
            te + "は駄目です",
            te + "ほしくない",
            te + "いるのは誰",
            stem + "たくない",
            dic + "のは好き",
            dic + "とどうなる",
            dic + "かもしれない",
            dic + "人がいる",
            stem + "方を教えて",
            stem + "ながら話す",
            dic + "のはやめて",
            dic + "必要はない",
            "なぜ" + dic + "の",
            "彼が" + te + "いる",
            te + "しまった",
            te + "いたね",
            stem + "ますか",
        ]
    )


def chatter(rng: random.Random) -> str:
    n = rng.choice([1, 1, 2])
    body = "".join(rng.choice(EVERYDAY_NOUNS) + rng.choice(PARTICLES) for _ in range(n))
    return body + rng.choice(EVERYDAY_VERBS) + rng.choice(TAILS)


def rohan_sentences(path: Path) -> list[str]:
    """ROHAN lines as plain surface text (its furigana in parentheses removed)."""
    out = []
    for line in path.read_text(encoding="utf-8").splitlines():
        _, _, rest = line.partition(":")
        out.append(re.sub(r"\([^)]*\)", "", rest.rpartition(",")[0]))
    return out


def rohan_pieces(sentences: list[str], longest: int = 22) -> list[str]:
    """Clauses of ROHAN, cut at punctuation and joined up to `longest` characters."""
    out = []
    for s in sentences:
        acc = ""
        for clause in re.findall(r"[^、。？！]+", s):
            if acc and len(acc) + len(clause) > longest:
                out.append(acc)
                acc = ""
            acc = f"{acc}、{clause}" if acc else clause
        if acc:
            out.append(acc)
    return [p for p in out if 2 <= len(p) <= longest + 8]


MIX: list[tuple[float, Callable[[random.Random], str]]] = [
    (0.19, lambda r: dressed(r, command(r))),
    (0.16, lambda r: dressed(r, from_table(r)) if r.random() < 0.5 else from_table(r)),
    (0.05, stop),
    (0.04, short),
    (0.13, sequence),
    (0.13, lambda r: dressed(r, motion(r)) if r.random() < 0.4 else motion(r)),
    (0.06, social),
    (0.05, trap),
    (0.08, chatter),
]  # the rest is ROHAN


def sentences(seed: int, rohan: list[str]) -> Iterator[str]:
    """Endless stream of training sentences; `rohan` are pieces, used again when they run out."""
    rng = random.Random(seed)
    pieces = rohan[:]
    rng.shuffle(pieces)
    supply = itertools.cycle(pieces)
    while True:
        p = rng.random()
        for share, make in MIX:
            if p < share:
                yield make(rng)
                break
            p -= share
        else:
            yield next(supply)
