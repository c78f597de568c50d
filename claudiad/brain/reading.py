"""Text → key: katakana as pronounced, so that お座り, おすわり and オスワリ are one thing.

Text with kanji, digits or Latin letters is read by SudachiPy (core dictionary, mode C: about 30 µs a
sentence). Text that is already kana is *not*: the embedded recogniser writes one unbroken line of
katakana as pronounced, and tokenising that gives garbage; it is only folded (`kana.fold`). There, は and
へ as particles are told by place alone: at the end of a clause, and in こんにちは, こんばんは.
Kana with hiragana in it is taken as spelled (とうきょう), bare katakana as sounded (トーキョー).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claudiad.brain.kana import fold, katakana
from claudiad.brain.numerals import spoken, to_kanji

if TYPE_CHECKING:
    from sudachipy import Morpheme, Tokenizer

MAX_CHARS = 400
"""Longer text is cut here before anything else looks at it."""

_SEPARATORS = r"[\s、。，．・！？!?,.…‥；;：:「」『』（）()【】\[\]〜~♪☆★“”\"'’‘’—―/|]"
_SPLIT = re.compile(_SEPARATORS + "+")
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]*")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_NOT_KANA = re.compile(r"[^ァ-ヺー]")
_DIGITS = re.compile(r"(\d+(?:\.\d+)?)\s*(cm|km|mm|m|°|センチ|メートル)?", re.IGNORECASE)
_UNITS = {"cm": "センチ", "m": "メートル", "°": "度"}
_FINAL_WA = re.compile(r"は$")
_WA_WORDS = re.compile(r"こん(?:にち|ばん)は")
_E_WORDS = re.compile(r"(まえ|うしろ|みぎ|ひだり)へ")
_QUOTED = re.compile(r"[」』”\"]\s*(?=って|と)")

_lock = threading.Lock()
_tokenizer: Tokenizer | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One text in all the forms the rules look at."""

    text: str
    """NFKC, control characters gone, at most `MAX_CHARS`."""
    key: str
    """Katakana as pronounced, canonical, without punctuation."""
    letters: str
    """`letters` of the text: what is compared as written."""
    clauses: tuple[str, ...]
    """Keys of the parts between punctuation marks, none empty."""
    after_because: tuple[str, ...] = ()
    """Keys of what follows から, ので, けど where the tokeniser proved that they are particles."""
    kana_only: bool = True
    truncated: bool = False


def clean(text: str) -> str:
    """NFKC without lone surrogates and control characters; full-width and half-width become one."""
    whole = text[:MAX_CHARS].encode("utf-8", "ignore").decode("utf-8")
    folded = unicodedata.normalize("NFKC", whole)[:MAX_CHARS]
    return "".join(c if c.isprintable() else " " for c in folded).strip()


def letters(surface: str) -> str:
    """Letters and digits of a cleaned text, case folded, single spaces between words."""
    return " ".join("".join(c if c.isalnum() or c == "ー" else " " for c in surface.casefold()).split())


def hear(text: str) -> Heard:
    """Everything the rules need to know about `text`. Never raises."""
    surface = clean(text)
    truncated = len(text) > MAX_CHARS
    # 「止まって」と言った reports: there the closing bracket is no boundary.
    unquoted = _QUOTED.sub("", surface)
    parts = [p for p in _SPLIT.split(unquoted) if p]
    if all(_KANA.fullmatch(p) for p in parts):
        sounds = [_pronounce_kana(p) for p in parts]
        keys = tuple(k for k in (p.rstrip("ッ") for p in sounds) if k)
        return Heard(surface, fold("".join(sounds)).rstrip("ッ"), letters(surface), keys, (), True, truncated)
    return _read(surface, unquoted, truncated)


def reading(text: str) -> str:
    """Katakana as pronounced, canonical for comparing; empty when nothing pronounceable is left."""
    return hear(text).key


def tokenizer() -> Tokenizer:
    """The process's SudachiPy tokeniser, created on first use (about 0.15 s)."""
    global _tokenizer  # noqa: PLW0603 - one dictionary of 70 MB per process, built when first needed
    with _lock:
        if _tokenizer is None:
            from sudachipy import Dictionary, SplitMode

            _tokenizer = Dictionary(dict="core").tokenizer(mode=SplitMode.C)
        return _tokenizer


def _pronounce_kana(part: str) -> str:
    if not _HIRAGANA.search(part):
        return fold(part)  # a recogniser's: written as it sounds
    part = _WA_WORDS.sub(lambda m: m.group()[:-1] + "わ", part)
    part = _E_WORDS.sub(r"\1え", part)
    return fold(_FINAL_WA.sub("わ", part), spelled=True)


def _read(surface: str, unquoted: str, truncated: bool) -> Heard:
    prepared = _DIGITS.sub(_spell_digits, unquoted)
    pieces: list[list[str]] = [[]]
    because: list[int] = []
    count = 0
    sudachi = tokenizer()
    with _lock:  # the loop and the stop listener read at the same time; a tokeniser serves one at a time
        morphemes = list(sudachi.tokenize(prepared))
    for i, m in enumerate(morphemes):
        if m.part_of_speech()[0] in ("補助記号", "空白") or _SPLIT.fullmatch(m.surface()):
            pieces.append([])
            continue
        after = morphemes[i + 1].surface() if i + 1 < len(morphemes) else ""
        pieces[-1].append(_pronounce(m, after))
        count += 1
        if m.surface() in ("から", "ので", "けど") and m.part_of_speech()[1] == "接続助詞":
            because.append(count)
    flat = [spoken for piece in pieces for spoken in piece]
    keys = tuple(k for k in (fold("".join(piece)).rstrip("ッ") for piece in pieces) if k)
    later = tuple(fold("".join(flat[i:])).rstrip("ッ") for i in because)
    return Heard(surface, fold("".join(flat)).rstrip("ッ"), letters(surface), keys, later, False, truncated)


def _pronounce(m: Morpheme, after: str) -> str:
    surface, kind = m.surface(), m.part_of_speech()[0]
    sound: str = katakana(m.reading_form())
    if kind in ("助詞", "感動詞", "接続詞") and surface.endswith("は"):
        sound = sound[:-1] + "ワ"
    elif kind == "助詞" and surface == "へ":
        sound = "エ"
    elif number := spoken(surface):
        return number
    elif surface == "何" and after in ("", "が", "を", "も", "か", "に"):
        sound = "ナニ"
    elif _NOT_KANA.search(sound):
        sound = katakana(surface) if _KANA.fullmatch(surface) else sound.casefold()
    # 思う is オモウ and not オモオ: in a verb the う is an ending.
    return fold(sound, spelled=kind != "動詞")


def _spell_digits(m: re.Match[str]) -> str:
    unit = m.group(2) or ""
    return to_kanji(m.group(1)) + _UNITS.get(unit.lower(), unit)
