"""The nearest known phrase when none fits exactly: スワテクダサイ → 座って, ユクリアルイテ → ゆっくり歩いて.

What a recogniser gets wrong first is the length of a sound, a small っ and the voice of a consonant; next comes one
kana too many, too few or another one. So phrases are indexed by their *skeleton*, where the first kind of slip makes
no difference, and by every skeleton with one kana left out, which finds the second kind (symmetric deletion, as in
SymSpell): a look-up costs the same in a small table and in a large one.

How far a near miss is to be believed is counted, not felt: `data/nearness.tsv` says how often a difference of this
kind, in a phrase of this length, was right (`training/brain`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from rapidfuzz.distance import Levenshtein

from claudiad.brain.conjugate import Form
from claudiad.brain.kana import deletions, shorten
from claudiad.brain.normalise import Edges
from claudiad.brain.phrases import Phrase
from claudiad.brain.reading import Heard, tokenised
from claudiad.brain.tables import rows
from claudiad.errors import DataError

Difference = Literal["sound", "kana"]
"""sound: length, っ or voicing; kana: besides, one kana more, less or other."""

Frame = Literal["asked", "bare"]
"""asked: with words of request, or a te-form; bare: a noun and nothing else."""

SHORTEST = 3
"""Fewest kana of a skeleton: below, too many words are near one another (立って, だって)."""
LONGEST = 16
LENGTHS = (3, 4, 5, 7)
"""Where the classes of length begin."""

_DONE = ("シテ", "オシテ", "ヤッテ", "オヤッテ", "ミセテ", "オミセテ")
"""What makes a request of a noun: ダンス|して."""
_REQUESTED: frozenset[Form] = frozenset(("te",))
_DONE_BY = frozenset(do[0] for do in _DONE)

_VOICELESS = str.maketrans(
    "ガギグゲゴザジズゼゾダデドバビブベボパピプペポ", "カキクケコサシスセソタテトハヒフヘホハヒフヘホ"
)
_DROPPED = str.maketrans("", "", "ッー")


@dataclass(frozen=True, slots=True)
class Guess:
    """A phrase that was nearly said."""

    phrase: Phrase
    difference: Difference
    frame: Frame
    length: int
    """Kana of the phrase's skeleton."""
    start: int
    end: int
    """Where in the key it was nearly said, the politeness behind it left out."""


@dataclass(frozen=True, slots=True)
class _Entry:
    skeleton: str
    form: Form
    phrase: Phrase


def skeleton(key: str) -> str:
    """A key without っ, long vowels and voicing: what survives a mediocre recogniser."""
    return shorten(key.translate(_DROPPED)).translate(_VOICELESS)


class Near:
    """An index of phrases by skeleton. Immutable."""

    def __init__(self, items: Iterable[tuple[str, Form, Phrase]], edges: Edges) -> None:
        self._edges = edges
        self._whole: dict[str, list[_Entry]] = {}
        self._short: dict[str, list[_Entry]] = {}
        for key, form, phrase in items:
            bones = skeleton(key)
            if not phrase.actions or not SHORTEST <= len(bones) <= LONGEST or form not in ("te", "noun", "said"):
                continue
            entry = _Entry(bones, form, phrase)
            self._whole.setdefault(bones, []).append(entry)
            if len(bones) > SHORTEST:
                for cut in {bones, *deletions(bones)}:
                    self._short.setdefault(cut, []).append(entry)

    def find(self, key: str) -> Guess | None:
        """The one phrase that is nearest to a key; None when there is none, or two that do different things."""
        places = list(self._places(key))
        for difference in get_args(Difference):
            best: dict[str, Guess] = {}
            for start, end, bones, forms, slurred in places:
                if slurred and difference != "sound":
                    continue
                for entry in self._entries(bones, difference):
                    if entry.form in forms:
                        frame: Frame = "asked" if entry.form == "te" or len(key) - end > 1 else "bare"
                        guess = Guess(entry.phrase, difference, frame, len(entry.skeleton), start, end)
                        best.setdefault(repr(guess.phrase.actions), guess)
            if best:
                return next(iter(best.values())) if len(best) == 1 else None
        return None

    def _places(self, key: str) -> Iterator[tuple[int, int, str, frozenset[Form], bool]]:
        """(start, end, skeleton, forms that fit what follows, whether that is slurred) of all that may be a phrase."""
        for start in self._edges.starts(key):
            for end in range(min(len(key), start + 2 * LONGEST), start + 1, -1):
                rest = key[end:]
                forms = self._edges.forms_before(rest)
                if "noun" not in forms and rest[:1] in _DONE_BY and self._done(rest):
                    forms |= {"noun"}
                slurred = not forms and rest in self._edges.slurred
                if not forms and not slurred:
                    continue
                bones = skeleton(key[start:end])
                if SHORTEST <= len(bones) <= LONGEST + 1:
                    yield start, end, bones, forms or _REQUESTED, slurred

    def _done(self, rest: str) -> bool:
        for do in _DONE:
            if rest.startswith(do):
                said = rest[len(do) :]
                if "te" in self._edges.forms_before(said) or said in self._edges.slurred:
                    return True
        return False

    def _entries(self, bones: str, difference: Difference) -> Iterable[_Entry]:
        if difference == "sound":
            return self._whole.get(bones, ())
        if len(bones) <= SHORTEST:
            return ()
        found = {id(e): e for cut in (bones, *deletions(bones)) for e in self._short.get(cut, ())}
        return [e for e in found.values() if Levenshtein.distance(e.skeleton, bones, score_cutoff=1) == 1]


def is_word(heard: Heard, guess: Guess) -> bool:
    """True when what stands in the phrase's place is itself something that is done: シャンプー|して, 触って.

    Then it was probably said, and a guess is worth a question at most.
    """
    said = [t for t in tokenised(heard).tokens if guess.start <= t.start < guess.end]
    if not heard.kana_only and guess.difference == "kana":
        return True  # a recogniser that writes kanji slips from word to word
    if not said or said[0].start != guess.start or any(t.morpheme.is_oov() for t in said):
        return False
    if len(said) > 2 and any(t.surface in ("を", "に") for t in said[1:-1]):
        return True  # 手を洗って
    if len(said) == 1 and any("一" <= c <= "龯" for c in said[0].morpheme.normalized_form()):
        return True  # タンス is 箪笥
    first = said[0].pos
    if first[0] == "動詞":
        return len(said) == 1 or said[1].pos[1] == "接続助詞"
    return len(said) == 1 and first[2] == "サ変可能"


Confidences = Mapping[tuple[str, str, int], float]


def confidence(guess: Guess, table: Confidences) -> float:
    """How often a guess of this kind was right; 0 for kinds that were never seen."""
    length = max((n for n in LENGTHS if n <= guess.length), default=0)
    return table.get((guess.difference, guess.frame, length), 0.0)


def load_confidences(path: Path) -> Confidences:
    """Read `nearness.tsv`: difference, frame, length from, right, wrong. Raises `DataError` with the line.

    The confidence is (right + 1) / (right + wrong + 2), Laplace's rule of succession.
    """
    table: dict[tuple[str, str, int], float] = {}
    for line, (difference, frame, length, right, wrong) in rows(path, 5):
        if difference not in get_args(Difference) or frame not in get_args(Frame):
            raise DataError(f"{path}:{line}: {difference} {frame}; known: {get_args(Difference)}, {get_args(Frame)}")
        try:
            n, yes, no = int(length), int(right), int(wrong)
        except ValueError as e:
            raise DataError(f"{path}:{line}: the last three columns are whole numbers") from e
        table[difference, frame, n] = (yes + 1) / (yes + no + 2)
    return table
