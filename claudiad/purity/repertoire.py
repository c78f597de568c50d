"""Which characters may reach the voice: kana, kanji that Japanese has, ASCII digits and a few marks. Pure."""

from __future__ import annotations

from functools import lru_cache

from claudiad.purity.tables import chinese

MARKS = "、。！？"
"""The only punctuation that is kept besides the decimal point, ``・`` and ``「」``."""

HIRAGANA = "".join(map(chr, range(0x3041, 0x3097))) + "ゝゞ"
KATAKANA = "".join(map(chr, range(0x30A1, 0x30FB))) + "ーヽヾ"
KANA = frozenset(HIRAGANA + KATAKANA)
_OTHER = frozenset("0123456789" + MARKS + "・「」々〆〇.")


def is_clean(character: str) -> bool:
    """True for the characters that are let through: kana, Japanese kanji, digits and a few marks."""
    return character in KANA or character in _OTHER or is_japanese_kanji(character)


@lru_cache(maxsize=8192)
def is_japanese_kanji(character: str) -> bool:
    """True for a kanji of JIS X 0208 or one the table allows beyond it."""
    if not is_han(character):
        return False
    if character in chinese().allowed:
        return True
    try:
        # Python's shift_jis has exactly JIS X 0208; cp932 and euc_jp hold more.
        return len(character.encode("shift_jis")) == 2
    except UnicodeEncodeError:
        return False


def is_han(character: str) -> bool:
    """True for any Chinese character, Japanese or not."""
    point = ord(character)
    return 0x3400 <= point <= 0x9FFF or 0xF900 <= point <= 0xFAFF or 0x20000 <= point <= 0x3FFFF


def is_foreign(character: str) -> bool:
    """True for a letter or kanji that may not be spoken; marks, signs and digits are no letters."""
    return character.isalpha() and not is_clean(character)


def speakable(text: str) -> bool:
    """True when there is something to pronounce in it: a kana that stands alone, a kanji or a digit."""
    return any("ぁ" <= c <= "ゖ" or "ァ" <= c <= "ヺ" or c in "0123456789" or is_han(c) for c in text)
