"""The minimal gate before the voice: whatever comes in, only clean Japanese comes out. Pure.

It knows characters and a table of words, not the language: Chinese written entirely in characters that Japanese
shares passes unless the table names it (docs/facts.md). The full purity filter goes further; this gate stays in place
behind it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from itertools import zip_longest

from claudiad.purity.markup import strip_markup
from claudiad.purity.tables import chinese, spoken

MARKS = "、。！？"
"""The only punctuation that is kept besides the decimal point, ``・`` and ``「」``."""

_HIRAGANA = "".join(map(chr, range(0x3041, 0x3097))) + "ゝゞ"
_KATAKANA = "".join(map(chr, range(0x30A1, 0x30FB))) + "ーヽヾ"
_KANA = frozenset(_HIRAGANA + _KATAKANA)
_OTHER = frozenset("0123456789" + MARKS + "・「」々〆〇.")
_PUNCTUATION = str.maketrans(
    {"!": "！", "?": "？", ",": "、", ";": "、", "，": "、", "．": "。", "｡": "。", "､": "、", "『": "「", "』": "」"}
    | dict.fromkeys("\n\r\x0b\x0c\x85\u2028\u2029", "。")
)
_MARK_RUN = re.compile(rf"[{MARKS}][{MARKS}\s]*")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:[-'][A-Za-z]+)*[0-9]*")
_TIME_OF_DAY = re.compile(r"(?<![0-9:])([0-9]{1,2}):([0-9]{2})(?![0-9:])")
_GROUPED = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")


def gate(text: str) -> str:
    """Clean Japanese made of `text`, or ``""`` when nothing speakable remains.

    Markup, thoughts, code, links, emoji and control characters go; known Chinese words, units and Latin words are
    said in Japanese; a clause that still holds a letter of another script, or a kanji that Japanese has not, is left
    out whole. Every character returned satisfies `is_clean`.
    """
    text = strip_markup(unicodedata.normalize("NFKC", strip_markup(text)))
    text = _say_signs(text)
    parts = re.split(rf"([{MARKS}])", text)
    kept = ""
    for clause, mark in zip_longest(parts[::2], parts[1::2], fillvalue=""):
        said = _clause(clause)
        # A clause that goes takes its tone with it: 「はい。Wow!」 is not 「はい！」.
        gone = bool(clause.strip()) and not said and mark in "！？"
        kept += said + ("。" if gone else mark)
    return _tidy(kept)


def is_clean(character: str) -> bool:
    """True for the characters the gate lets through: kana, Japanese kanji, digits and a few marks."""
    return character in _KANA or character in _OTHER or is_japanese_kanji(character)


@lru_cache(maxsize=8192)
def is_japanese_kanji(character: str) -> bool:
    """True for a kanji of JIS X 0208 or one the table allows beyond it."""
    if not _is_han(character):
        return False
    if character in chinese().allowed:
        return True
    try:
        # Python's shift_jis has exactly JIS X 0208; cp932 and euc_jp hold more.
        return len(character.encode("shift_jis")) == 2
    except UnicodeEncodeError:
        return False


def speakable(text: str) -> bool:
    """True when there is something to pronounce in it: a kana that stands alone, a kanji or a digit."""
    return any("ぁ" <= c <= "ゖ" or "ァ" <= c <= "ヺ" or c in "0123456789" or _is_han(c) for c in text)


def _is_han(character: str) -> bool:
    point = ord(character)
    return 0x3400 <= point <= 0x9FFF or 0xF900 <= point <= 0xFAFF or 0x20000 <= point <= 0x3FFFF


@cache
def _units() -> re.Pattern[str]:
    longest_first = sorted(spoken().units, key=len, reverse=True)
    return re.compile(rf"(?<=[0-9])\s*({'|'.join(map(re.escape, longest_first))})(?![A-Za-z])")


@cache
def _chinese_words() -> re.Pattern[str]:
    longest_first = sorted(chinese().words, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def _say_signs(text: str) -> str:
    for written in sorted(spoken().signs, key=len, reverse=True):
        text = text.replace(written, spoken().signs[written])
    text = _GROUPED.sub("", text)
    text = _TIME_OF_DAY.sub(r"\1時\2分", text)
    text = _units().sub(lambda found: spoken().units[found[1]], text)
    text = re.sub(r"(?<=[0-9])\s*[~〜-]\s*(?=[0-9])", "から", text)
    text = re.sub(r"(?<![0-9A-Za-z])[-−](?=[0-9])", "マイナス", text)
    text = re.sub(r"(?<=[ぁ-ゖァ-ヺ])[~〜]+", "ー", text)
    # NFKC has made "…" into dots; a lone one is a decimal point only between digits.
    text = re.sub(r"\.{2,}", "、", text)
    text = re.sub(r"(?<![0-9])\.|\.(?![0-9])", "。", text)
    return text.translate(_PUNCTUATION)


def _clause(clause: str) -> str:
    """The clause as it is to be spoken, or "" when it cannot be."""
    whole = chinese().whole.get(clause.strip())
    if whole is not None:
        return whole
    rest, found = _chinese_words().subn("", clause)
    if found and rest.strip() and not _KANA.intersection(rest):
        # A Chinese sentence that happens to hold a word we know: the rest of it is Chinese too.
        return ""
    clause = _chinese_words().sub(lambda match: chinese().words[match[0]], clause)
    clause = _LATIN_WORD.sub(_say_latin, clause)
    if any(_foreign(character) for character in clause):
        return ""
    return "".join(filter(is_clean, clause))


def _say_latin(match: re.Match[str]) -> str:
    word = match[0].lower()
    letters = word.rstrip("0123456789")
    words = spoken().words
    return words.get(word) or words.get(letters, match[0][: len(letters)]) + match[0][len(letters) :]


def _foreign(character: str) -> bool:
    return character.isalpha() and not is_clean(character)


def _tidy(text: str) -> str:
    text = _MARK_RUN.sub(_strongest, text)
    # Removing letters can leave a point with nothing to divide.
    text = re.sub(r"(?<![0-9])\.+|\.+(?![0-9])|(?<=\.)\.+", "", text)
    text = text.lstrip(MARKS + "・」").rstrip("、・「")
    return text if speakable(text) else ""


def _strongest(run: re.Match[str]) -> str:
    return next(mark for mark in "？！。、" if mark in run[0])
