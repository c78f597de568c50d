"""Text → key: katakana as pronounced, so that お座り, おすわり and オスワリ are one thing.

Text with kanji, digits or Latin letters is read by SudachiPy (core dictionary, mode C: about 30 µs a
sentence). Text that is already kana is *not*: the embedded recogniser writes one unbroken line of
katakana as pronounced, and tokenising that gives garbage; it is only folded (`kana.fold`). There, は and
へ as particles are told by place alone: at the end of a clause, and in こんにちは, こんばんは.
Kana with hiragana in it is taken as spelled (とうきょう), bare katakana as sounded (トーキョー).
"""

from __future__ import annotations

import itertools
import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from claudiad.brain.kana import fold, hiragana, katakana
from claudiad.brain.numerals import spoken, to_kanji

if TYPE_CHECKING:
    from sudachipy import Morpheme, Tokenizer

MAX_CHARS = 400
"""Longer text is cut here before anything else looks at it."""

_SEPARATORS = r"[\s、。，．・！？!?,.…‥；;：:「」『』（）()【】\[\]〜~♪☆★“”\"'’‘’—―/|]"
_SPLIT = re.compile(_SEPARATORS + "+")
_PART = re.compile("[^" + _SEPARATORS[1:] + "+")
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]*")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_NOT_KANA = re.compile(r"[^ァ-ヺー]")
_DIGITS = re.compile(r"(\d+(?:\.\d+)?)\s*(cm|km|mm|m|°|センチ|メートル)?", re.IGNORECASE)
_ROUND = re.compile(r"(周)(回[らりるれろっ])")
"""一周回って is not 一|周回|って."""
_DIALECT = re.compile(r"(^|[\s、。,.!?…])はよ(?!う)")
"""はよ立って: the tokeniser takes は for the particle."""
_UNITS = {"cm": "センチ", "m": "メートル", "°": "度"}
_REASONS = frozenset(("から", "ので", "んで", "けど", "けれど", "けれども", "けん", "が", "し"))
_JOINING = frozenset("ーァィゥェォ")
"""What a word cannot begin with: it lengthens the vowel before it."""
_FINAL_WA = re.compile(r"は$")
_CIRCLED = re.compile(r"[①-⑳]")
_WA_WORDS = re.compile(r"こん(?:にち|ばん)は")
_E_WORDS = re.compile(r"(まえ|うしろ|みぎ|ひだり)へ")
_QUOTED = re.compile(r"[!?。、]*[」』”\"]\s*(?=って|と|言|いう|ゆう|いわ|いっ|[がはをのもに])")

_lock = threading.Lock()
_tokenizer: Tokenizer | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the tokeniser's, with its place in the key."""

    start: int
    end: int
    surface: str
    """As written."""
    lemma: str
    """Dictionary form, as written."""
    pos: tuple[str, ...]
    """Part of speech: six fields of UniDic (名詞, 普通名詞, …, conjugation type, conjugation form)."""
    morpheme: Morpheme


@dataclass(frozen=True)
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
    marks: tuple[str, ...] = ()
    """The punctuation behind each clause, its first mark; empty at the end of the text."""
    tokens: tuple[Token, ...] = ()
    """Words and their places in `key`; empty where the text was kana and needed no tokeniser."""
    kana_only: bool = True
    truncated: bool = False

    @cached_property
    def bounds(self) -> tuple[int, ...]:
        """Places in `key` at which punctuation stood, the end of the key not among them."""
        ends = tuple(itertools.accumulate(map(len, self.clauses)))
        return ends[:-1] if ends and ends[-1] == len(self.key) else ()

    def mark_before(self, position: int) -> str:
        """The punctuation that stood just before a place in `key`; a space where there was none."""
        ends = itertools.accumulate(map(len, self.clauses))
        return next((mark for end, mark in zip(ends, self.marks, strict=False) if end == position and mark), " ")

    @cached_property
    def reasons(self) -> tuple[int, ...]:
        """Places in `key` where the tokeniser proved that a clause ends: behind から, ので, けど, よ, an imperative."""
        found = []
        for i, t in enumerate(self.tokens):
            proved = t.surface in _REASONS and t.pos[1] == "接続助詞" and self.tokens[i - 1].surface not in ("て", "で")
            if (
                proved
                or self._said(i)
                or (t.surface == "で" and t.pos[0] == "助動詞" and self.tokens[i - 1].pos[1] == "準体助詞")
            ):
                following = self.tokens[i + 1] if i + 1 < len(self.tokens) else None
                if following is None or following.pos[1] != "終助詞":  # 通るからな is one clause
                    found.append(t.end)
        return tuple(found)

    @cached_property
    def as_words(self) -> Heard:
        """The same as the tokeniser reads it: in kana, that is the only way to know that は is ワ."""
        text = self.text if _HIRAGANA.search(self.text) else hiragana(self.text)
        return _read(text, _QUOTED.sub("", text), self.truncated)

    @cached_property
    def tokenised(self) -> Heard:
        """The same with tokens: a recogniser's katakana is read as hiragana; none where that sounds otherwise."""
        if self.tokens or not self.kana_only:
            return self
        again = self.as_words
        return replace(self, tokens=again.tokens) if again.key == self.key else self

    def _said(self, i: int) -> bool:
        """Behind 撮るよ|ポーズして and 起きてください|朝だよ, where the tokeniser proved that a sentence ends."""
        if i + 1 >= len(self.tokens) or i == 0:
            return False
        t, following = self.tokens[i], self.tokens[i + 1]
        if following.pos[0] in ("助詞", "助動詞", "接尾辞") or following.pos[1] == "非自立可能":
            return False
        if t.pos[5].startswith("命令形"):
            return True
        return (
            t.pos[1] == "終助詞" and t.surface in ("よ", "ぞ", "ね") and self.tokens[i - 1].pos[5].startswith("終止形")
        )


def clean(text: str) -> str:
    """NFKC without lone surrogates and control characters; full-width and half-width become one."""
    whole = _CIRCLED.sub("、", text[:MAX_CHARS].encode("utf-8", "ignore").decode("utf-8"))
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
        sounds = [
            (_pronounce_kana(p).rstrip("ッ"), unquoted[m.end() : m.end() + 1])
            for p, m in zip(parts, _parts(unquoted), strict=True)
        ]
        keys = tuple(k for k, _ in sounds if k)
        marks = tuple(mark for k, mark in sounds if k)
        return Heard(surface, fold("".join(keys)), letters(surface), keys, marks, (), True, truncated)
    return _read(surface, unquoted, truncated)


_CHILD = (("ちて", "して"), ("ちゅ", "す"), ("しゃ", "さ"), ("しゅ", "す"), ("ちゃ", "さ"), ("ちょ", "そ"))


def grown_up(kana: str) -> str:
    """おちゅわりちて → おすわりして; text in kana only, anything else comes back as it was."""
    if not all(_KANA.fullmatch(part) for part in split(kana)):
        return kana
    spelled = hiragana(kana)
    for child, grown in _CHILD:
        spelled = spelled.replace(child, grown)
    return spelled if spelled != hiragana(kana) else kana


def is_kana(part: str) -> bool:
    """True for a part without punctuation that is all kana."""
    return _KANA.fullmatch(part) is not None


def split(surface: str) -> list[str]:
    """The parts of a text between punctuation marks, none empty; a quotation is no part of its own."""
    return [part for part in _SPLIT.split(_QUOTED.sub("", surface)) if part]


class Stems:
    """Readings for the kanji of commands, where the tokeniser does not know the word they stand in."""

    def __init__(self, readings: Mapping[str, str]) -> None:
        self._readings = dict(readings)
        self._longest = "|".join(sorted(map(re.escape, readings), key=len, reverse=True))
        self._pattern = re.compile(self._longest) if readings else None

    def spell(self, surface: str) -> str | None:
        """`surface` in kana; None when that leaves kanji, or there were none."""
        if self._pattern is None:
            return None
        spelled = self._pattern.sub(lambda m: self._readings[m[0]], surface)
        kana = all(_KANA.fullmatch(part) for part in _SPLIT.split(spelled))
        return spelled if kana and spelled != surface else None


def _parts(text: str) -> Iterator[re.Match[str]]:
    """Matches of the parts between punctuation marks."""
    return _PART.finditer(text)


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


def tokenise(text: str) -> list[Morpheme]:
    """The words of a text; any thread may ask, one at a time is served."""
    sudachi = tokenizer()
    with _lock:
        return list(sudachi.tokenize(text))


def _pronounce_kana(part: str) -> str:
    if not _HIRAGANA.search(part):
        return fold(part)  # a recogniser's: written as it sounds
    part = _WA_WORDS.sub(lambda m: m.group()[:-1] + "わ", part)
    part = _E_WORDS.sub(r"\1え", part)
    return fold(_FINAL_WA.sub("わ", part), spelled=True)


def _read(surface: str, unquoted: str, truncated: bool) -> Heard:
    prepared = _DIALECT.sub(r"\1早く", _ROUND.sub(r"\1 \2", _DIGITS.sub(_spell_digits, unquoted)))
    morphemes = tokenise(prepared)  # the loop and the stop listener read at the same time
    clauses: list[str] = []
    marks: list[str] = []
    tokens: list[Token] = []
    done = 0
    clause = ""
    surfaces = [m.surface() for m in morphemes]
    for i, m in enumerate(morphemes):
        written, pos = surfaces[i], m.part_of_speech()
        if pos[0] in ("補助記号", "空白") or _SPLIT.fullmatch(written):
            if clause := clause.rstrip("ッ"):
                clauses.append(clause)
                marks.append(written[:1])
                done += len(clause)
            clause = ""
            continue
        sounds = _pronounce(m, written, pos, surfaces[i + 1] if i + 1 < len(surfaces) else "")
        whole = fold(clause + sounds) if sounds[:1] in _JOINING else clause + sounds
        start = done + min(len(clause), len(whole))
        tokens.append(Token(start, done + len(whole), written, m.dictionary_form(), pos, m))
        clause = whole.replace("イチカイ", "イッカイ")  # もう一回, which the dictionary reads by its parts
    if clause := clause.rstrip("ッ"):
        clauses.append(clause)
        marks.append("")
    return Heard(
        surface, "".join(clauses), letters(surface), tuple(clauses), tuple(marks), tuple(tokens), False, truncated
    )


def _pronounce(m: Morpheme, surface: str, pos: tuple[str, ...], after: str) -> str:
    kind = pos[0]
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
    if kind == "動詞" and sound.endswith("ウ") and not pos[5].startswith("意志推量形"):
        return fold(sound[:-1], spelled=True) + "ウ"  # 思う is オモウ and not オモオ; 踊ろう is オドロオ
    return fold(sound, spelled=True)


def _spell_digits(m: re.Match[str]) -> str:
    unit = m.group(2) or ""
    return to_kanji(m.group(1)) + _UNITS.get(unit.lower(), unit)
