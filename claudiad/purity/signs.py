"""Punctuation, numbers and units as they are said. Pure.

Digits stay digits: Open JTalk reads them with their counters (3本 サンボン, 20日 ハツカ, 12345円), and so does Piper,
which asks it. What it would not read, or not so, becomes words here: ranges, times of day, signs, units.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from claudiad.purity.repertoire import MARKS
from claudiad.purity.tables import spoken
from claudiad.purity.traced import Traced, any_of

_PUNCTUATION = str.maketrans(
    {"!": "！", "?": "？", ",": "、", ";": "、", ":": "、", "/": "、", "，": "、", "．": "。", "｡": "。", "､": "、"}
    | {"『": "「", "』": "」"}
    | dict.fromkeys("\n\r\x0b\x0c\x85\u2028\u2029", "。")
)
_TRANSLATED = re.compile("[" + "".join(map(re.escape, map(chr, _PUNCTUATION))) + "]")
_TRADEMARK = re.compile("[™℠®©]")
_ROMAN = re.compile("[Ⅰ-Ⅻⅰ-ⅻ]")
_GROUPED = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_FRACTION = re.compile(r"(?<![0-9])([0-9]++)\u2044([0-9]+)")
_TIME_OF_DAY = re.compile(r"(?<![0-9:])([0-9]{1,2}):([0-9]{2})(?![0-9:])")
_RANGE = re.compile(r"(?<=[0-9])\s*[~〜-]\s*(?=[0-9])")
_MINUS = re.compile(r"(?<![0-9A-Za-z])[-−](?=[0-9])")
_DRAWN_OUT = re.compile(r"(?<=[ぁ-ゖァ-ヺ])[~〜]+")
# NFKC has made "…" into dots; a lone one is a decimal point only between digits.
_DOTS = re.compile(r"\.{2,}")
_FULL_STOP = re.compile(r"(?<![0-9])\.|\.(?![0-9])")
_MARK_RUN = re.compile(rf"[{MARKS}][{MARKS}\s]*")
_LOST_POINT = re.compile(r"(?<![0-9])\.+|\.+(?![0-9])|(?<=\.)\.+")
_BEGIN = re.compile(rf"\A[{MARKS}・」\s]+")
_END = re.compile(r"(?<![、・「\s])[、・「\s]++\Z")
_LATIN = re.compile("[A-Za-zＡ-Ｚａ-ｚ]")


def before_folding(text: Traced) -> Traced:
    """What would become Latin letters: ™ is not said, Ⅲ is 3."""
    text = text.sub(_TRADEMARK, "", "symbol")
    return text.sub(_ROMAN, lambda m: str(int(unicodedata.numeric(m[0]))))


def say_signs(text: Traced) -> Traced:
    """Numbers, units and punctuation of a text in NFKC form, as words and Japanese marks."""
    text = text.sub(_signs(), lambda m: spoken().signs[m[0]])
    text = text.sub(_GROUPED, "").sub(_FRACTION, r"\2分の\1").sub(_TIME_OF_DAY, r"\1時\2分")
    text = _say_units(text)
    text = text.sub(_RANGE, "から").sub(_MINUS, "マイナス").sub(_DRAWN_OUT, "ー")
    text = text.sub(_DOTS, "、").sub(_FULL_STOP, "。")
    return text.sub(_TRANSLATED, lambda m: m[0].translate(_PUNCTUATION))


def _say_units(text: Traced) -> Traced:
    # 5cm has Latin letters and 25℃ has none, though both look alike by now.
    for unit in _units().finditer(text.text):
        begin, end = unit.span(1)
        spans = text.spans[begin:end]
        if _LATIN.search(text.trace.source[spans[0][0] : spans[-1][1]]):
            text.note(begin, end, "unit")
    return text.sub(_units(), lambda m: spoken().units[m[1]])


def tidy(text: Traced) -> Traced:
    """One mark where several meet, none at the beginning, no comma at the end, no point that divides nothing."""
    text = text.sub(_MARK_RUN, _strongest).sub(_LOST_POINT, "")
    return text.sub(_BEGIN, "").sub(_END, "")


def _strongest(run: re.Match[str]) -> str:
    return next(mark for mark in "？！。、" if mark in run[0])


@cache
def _units() -> re.Pattern[str]:
    return re.compile(rf"(?<=[0-9])\s*({any_of(spoken().units)})(?![A-Za-z])")


@cache
def _signs() -> re.Pattern[str]:
    return re.compile(any_of(spoken().signs))
