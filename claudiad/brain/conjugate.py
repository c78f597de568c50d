"""From the te-form of a command to the other forms a command, a plea, a ban or a sequence needs.

One line 座って in the table then also answers to 座れ, 座りなさい, お座りください, 座る前に…, 座ったら…, 座っといて,
座ろうね, and is known in 座らないで, where it must not be done. The verb class comes from SudachiPy (part of speech,
conjugation type) when the table is loaded. What each form may be followed by is `data/endings.tsv`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from claudiad.brain.kana import fold, hiragana
from claudiad.brain.reading import reading, tokenizer

Form = Literal["te", "noun", "stem", "imp", "dict", "ta", "nai", "vol", "to", "cha", "rya", "nn", "ostem", "said"]
"""te 座って, noun お座り, stem 座り, imp 座れ, dict 座る, ta 座った, nai 座ら(ないで, んか), vol 座ろう,
to 座っと(いて, き), cha 座っちゃ(って, だめ), rya 座りゃ(あ), nn 座ん(なさい), ostem お座り before ください;
said: whatever is no command."""

SHORT = 4
"""Kana of a te-form below which a shortened form is another word."""

FORMS: tuple[Form, ...] = get_args(Form)

_ROWS = {
    "カ": "カキクケコ", "ガ": "ガギグゲゴ", "サ": "サシスセソ", "タ": "タチツテト", "ナ": "ナニヌネノ",
    "バ": "バビブベボ", "マ": "マミムメモ", "ラ": "ラリルレロ", "ワ": "ワイウエオ",
}  # fmt: skip
_GLIDE = {
    "キ": "キャ",
    "ギ": "ギャ",
    "シ": "シャ",
    "チ": "チャ",
    "ニ": "ニャ",
    "ビ": "ビャ",
    "ミ": "ミャ",
    "リ": "リャ",
    "イ": "ヤ",
}
DOING = (
    ("して", "サ行変格"),
    ("やって", "五段-ラ行"),
    ("見せて", "下一段-サ行"),
    ("披露して", "サ行変格"),
    ("決めて", "下一段-マ行"),
    ("なさって", "五段-ラ行"),
)
"""What is done with a noun: ダンス|して, ダンス|を|やって, ダンス|を|見せて; spelling and conjugation."""
CHANGING = (
    ("して", "サ行変格"), ("切り替えて", "下一段-ア行"), ("変えて", "下一段-ア行"), ("戻して", "五段-サ行"),
    ("戻って", "五段-ラ行"),
    ("なさって", "五段-ラ行"),
    ("なって", "五段-ラ行"), ("歩いて", "五段-カ行"), ("進んで", "五段-マ行"), ("行って", "五段-カ行"),
    ("走って", "五段-ラ行"), ("動いて", "五段-カ行"),
)  # fmt: skip
"""What is done into or in a manner: 小走り|に|切り替えて, 省エネ|で|歩いて."""
CLOSING = (("締めて", "下一段-マ行"), ("決めて", "下一段-マ行"), ("終わって", "五段-ラ行"), ("お願いして", "サ行変格"))
"""What is done with the last of several: ハート|で|締めて."""


@dataclass(frozen=True, slots=True)
class Word:
    """One form of a phrase: how it is written, how it sounds, what it can be followed by."""

    surface: str
    key: str
    form: Form


def words(phrase: str) -> list[Word]:
    """All forms of a command phrase: te-form (…て, …で) or noun; the phrase itself comes first.

    A phrase that is neither (前へ, 立て) is taken as a noun: endings such as お願い still fit.
    """
    key = reading(phrase)
    if not key:
        return []
    verb = _verb_class(phrase)
    if verb is None:
        return [Word(phrase, key, "noun")]
    kind, begin = verb
    forms = _verb(phrase, key, kind)
    stem = next((w for w in forms if w.form == "stem"), None)
    if begin and stem:  # 静かに|お歩き|ください
        honoured = phrase[:begin] + "お" + stem.surface[begin:]
        forms.append(Word(honoured, reading(honoured), "ostem"))
    return [Word(phrase, key, "te"), *forms]


def doing() -> list[Word]:
    """All forms of the verbs that make a command of a noun (`DOING`)."""
    return _forms_of(DOING)


def changing() -> list[Word]:
    """All forms of the verbs of `CHANGING`."""
    return _forms_of(CHANGING)


def closing() -> list[Word]:
    """All forms of the verbs of `CLOSING`."""
    return _forms_of(CLOSING)


def _forms_of(verbs: tuple[tuple[str, str], ...]) -> list[Word]:
    return [w for te, kind in verbs for w in (Word(te, reading(te), "te"), *_verb(te, reading(te), kind))]


def _verb_class(phrase: str) -> tuple[str, int] | None:
    """Sudachi's conjugation type of the last verb, and where it begins, when the phrase ends in its te-form."""
    if phrase[-1] not in "てで":
        return None
    morphemes = tokenizer().tokenize(phrase)
    if len(morphemes) < 2 or morphemes[-1].surface() not in ("て", "で"):
        return None
    verb, te = morphemes[-2], morphemes[-1]
    if te.part_of_speech()[0] != "助詞" or verb.part_of_speech()[0] not in ("動詞", "助動詞"):
        return None
    return str(verb.part_of_speech()[4]), verb.begin()


def _verb(phrase: str, key: str, kind: str) -> list[Word]:
    voiced = key.endswith("デ")
    # (form, kana cut off the te-form, what takes their place)
    ends: list[tuple[Form, int, str]] = [
        ("ta", 1, "ダ" if voiced else "タ"),
        ("to", 1, "ド" if voiced else "ト"),
        ("to", 1, "ジョ" if voiced else "チョ"),
        ("cha", 1, "ジャ" if voiced else "チャ"),
    ]
    if kind.startswith("五段"):
        a, i, u, e, o = tuple(_ROWS[kind[3]])
        ends += [("stem", 2, i), ("imp", 2, e), ("dict", 2, u), ("nai", 2, a), ("vol", 2, o + "オ"), ("vol", 2, o)]
        ends += [("rya", 2, _GLIDE[i])]
        if i == "リ":
            ends += [("nn", 2, "ン")]
    elif "一段" in kind:
        ends += [("stem", 1, ""), ("imp", 1, "ロ"), ("imp", 1, "ヨ"), ("imp", 1, "レ"), ("dict", 1, "ル")]
        ends += [("nai", 1, ""), ("vol", 1, "ヨオ"), ("rya", 1, "ヤ")]
    elif kind.startswith("サ行変格"):
        ends += [("stem", 2, "シ"), ("imp", 2, "シロ"), ("imp", 2, "セヨ"), ("imp", 2, "セエ"), ("dict", 2, "スル")]
        ends += [
            ("nai", 2, "シ"),
            ("nai", 2, "セ"),
            ("vol", 2, "シヨオ"),
            ("vol", 2, "シヨ"),
            ("rya", 2, "シャ"),
            ("rya", 2, "シヤ"),
        ]
    else:
        return []  # ないで: a te-form, and nothing else
    if len(key) < SHORT:
        ends = [e for e in ends if e[0] != "vol" or len(e[2]) > 1]  # どこ is where, not a short どこう
    out = []
    for form, cut, end in ends:
        spelled = hiragana(end).replace("おお", "おう").replace("よお", "よう")
        if form == "vol" and len(end) > 1:
            spelled = spelled[:-1] + "う"
        # 寄って → 寄ろう: the vowel of the ending is not one with that of the stem.
        out.append(Word(phrase[:-cut] + spelled, fold(key[:-cut] + end), form))
    return out
