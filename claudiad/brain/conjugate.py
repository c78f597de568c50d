"""From the te-form of a command to the other forms a command, a sequence or a plea needs.

One line 座って in the table then also answers to 座れ, 座りなさい, お座りください, 座る前に… and 座ったら….
The verb class comes from SudachiPy (part of speech, conjugation type) when the table is loaded; forms of
negation, wish, progress and report are not made at all, so they can never be looked up.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from claudiad.brain.kana import hiragana
from claudiad.brain.reading import reading, tokenizer

Form = Literal["te", "noun", "stem", "imp", "dict", "ta", "said", "ostem"]
"""te 座って, noun お座り, stem 座り, imp 座れ, dict 座る, ta 座った; ostem
お座り before ください; said: whatever is no command."""

_ROWS = {
    "カ": "キケク", "ガ": "ギゲグ", "サ": "シセス", "タ": "チテツ", "ナ": "ニネヌ",
    "バ": "ビベブ", "マ": "ミメム", "ラ": "リレル", "ワ": "イエウ",
}  # fmt: skip
_DOES = (("シテ", "して", "サ行変格"), ("ヤッテ", "やって", "五段-ラ行"), ("ミセテ", "見せて", "下一段-サ行"))
"""What is done with a noun: ダンス|して, ダンスを|やって, ダンスを|見せて; sound, spelling, conjugation."""


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
    kind = _verb_class(phrase)
    if kind is None:
        return _noun(phrase, key)
    return [Word(phrase, key, "te"), *_verb(phrase, key, kind)]


def _verb_class(phrase: str) -> str | None:
    """Sudachi's conjugation type of the last verb when the phrase ends in its te-form, else None."""
    morphemes = tokenizer().tokenize(phrase)
    if len(morphemes) < 2 or morphemes[-1].surface() not in ("て", "で"):
        return None
    verb, te = morphemes[-2], morphemes[-1]
    if te.part_of_speech()[0] != "助詞" or verb.part_of_speech()[0] not in ("動詞", "助動詞"):
        return None
    return str(verb.part_of_speech()[4])


def _verb(phrase: str, key: str, kind: str) -> list[Word]:
    ta = "タ" if key.endswith("テ") else "ダ"
    out = [Word(phrase[:-1] + hiragana(ta), key[:-1] + ta, "ta")]
    if kind.startswith("五段"):
        row = _ROWS[kind[3]]
        cut, stem, imp, plain = 2, row[0], row[1], row[2]
    elif "一段" in kind:
        cut, stem, imp, plain = 1, "", "ロ", "ル"
    elif kind.startswith("サ行変格"):
        cut, stem, imp, plain = 2, "シ", "シロ", "スル"
    else:
        return out
    ends: tuple[tuple[Form, str], ...] = (("stem", stem), ("imp", imp), ("dict", plain))
    return out + [Word(phrase[:-cut] + hiragana(end), key[:-cut] + end, form) for form, end in ends]


def _noun(phrase: str, key: str) -> list[Word]:
    out = [Word(phrase, key, "noun")]
    for (sound, written, kind), (o, wo) in itertools.product(_DOES, (("", ""), ("オ", "を"))):
        te = Word(phrase + wo + written, key + o + sound, "te")
        out += [te, *_verb(te.surface, te.key, kind)]
    return out
