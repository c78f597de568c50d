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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from rapidfuzz.distance import Levenshtein

from claudiad.brain import wording
from claudiad.brain.conjugate import Form
from claudiad.brain.kana import deletions, shorten
from claudiad.brain.motion import Motions
from claudiad.brain.normalise import Edges
from claudiad.brain.phrases import Phrase
from claudiad.brain.reading import Heard
from claudiad.brain.tables import rows
from claudiad.errors import DataError
from claudiad.types import Action

Difference = Literal["length", "sound", "verb", "kana", "crowd"]
"""length: of a sound, っ among them (踊て); sound: besides, voicing; verb: a known way or amount, and a verb one kana
off (右に|むて); kana: one kana more, less or other; crowd: the same, with another phrase nearly as near."""

Frame = Literal["asked", "bare"]
"""asked: with words of request, or a te-form; bare: a noun and nothing else."""

SHORTEST = 3
"""Fewest kana of a skeleton: below, too many words are near one another (立って, だって)."""
LONGEST = 16
LONGEST_VERB = 8
"""Most kana of a verb of motion, its slip included."""
LENGTHS = (3, 4, 5, 7)
"""Where the classes of length begin."""

_DONE = ("シテ", "オシテ", "ヤッテ", "オヤッテ", "ミセテ", "オミセテ")
"""What makes a request of a noun: ダンス|して."""
_REQUESTED: frozenset[Form] = frozenset(("te",))
_DONE_BY = frozenset(do[0] for do in _DONE)

_BY_PHRASE: tuple[Difference, ...] = ("length", "sound", "kana")
"""In which order phrases are tried."""

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
    """Kana of the skeleton, the phrase's or what was heard, whichever is shorter."""
    start: int
    end: int
    """Where in the key it was nearly said, the politeness behind it left out."""


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    skeleton: str
    form: Form
    phrase: Phrase


def skeleton(key: str) -> str:
    """A key without っ, long vowels and voicing: what survives a mediocre recogniser."""
    return shorten(key.translate(_DROPPED)).translate(_VOICELESS)


class Near:
    """An index of phrases by skeleton. Immutable."""

    def __init__(
        self,
        items: Iterable[tuple[str, Form, Phrase]],
        edges: Edges,
        motions: Motions | None = None,
        move_id: int | None = None,
    ) -> None:
        self._edges = edges
        self._motions, self._move_id = motions, move_id
        self._verbs = [(verb, skeleton(known)) for verb, known in motions.spoken] if motions else []
        self._whole: dict[str, list[_Entry]] = {}
        self._short: dict[str, list[_Entry]] = {}
        for key, form, phrase in items:
            bones = skeleton(key)
            if not phrase.actions or not SHORTEST <= len(bones) <= LONGEST or form not in ("te", "noun", "said"):
                continue
            entry = _Entry(key, bones, form, phrase)
            self._whole.setdefault(bones, []).append(entry)
            if len(bones) > SHORTEST:
                for cut in {bones, *deletions(bones)}:
                    self._short.setdefault(cut, []).append(entry)

    def find(self, key: str) -> Guess | None:
        """The one phrase or motion nearest to a key; None when there is none, or two that do different things."""
        return self._phrase(key) or self._motion(key)

    def _phrase(self, key: str) -> Guess | None:
        places = list(self._places(key))
        for difference in _BY_PHRASE:
            best: dict[str, Guess] = {}
            beside: set[str] = set()
            for start, end, bones, forms, slurred in places:
                if slurred and difference != "length":
                    continue
                for entry, distance in self._entries(bones, difference):
                    if entry.form in forms and _differs(key[start:end], entry.key, difference):
                        if distance > 1:
                            beside.add(repr(entry.phrase.actions))
                            continue
                        frame: Frame = "asked" if entry.form == "te" or len(key) - end > 1 else "bare"
                        guess = Guess(entry.phrase, difference, frame, min(len(bones), len(entry.skeleton)), start, end)
                        best.setdefault(repr(guess.phrase.actions), guess)
            if best:
                single = _single(best)
                crowded = single is not None and beside - set(best)
                return replace(single, difference="crowd") if single is not None and crowded else single
        return None

    def _motion(self, key: str) -> Guess | None:
        """The one motion whose way and amount are known and whose verb is one kana off."""
        motions, move_id = self._motions, self._move_id
        best: dict[str, Guess] = {}
        if motions is None or move_id is None:
            return None
        for start in self._edges.starts(key):
            for pos, said in motions.begun(key, start):
                for end in range(min(len(key), pos + LONGEST_VERB), pos + 1, -1):
                    if "te" not in self._edges.forms_before(key[end:]):
                        continue
                    bones = skeleton(key[pos:end])
                    for verb, known in self._verbs:
                        params = said.params(verb) if _one_off(bones, known) else None
                        if params is not None:
                            action = Action("move", move_id, params)
                            phrase = Phrase(wording.title(action), (action,), "action", wording.moving(action))
                            length = len(skeleton(key[start:end]))
                            best.setdefault(repr(action), Guess(phrase, "verb", "asked", length, start, end))
        return _single(best)

    def _places(self, key: str) -> Iterator[tuple[int, int, str, frozenset[Form], bool]]:
        """(start, end, skeleton, forms that fit what follows, whether that is slurred) of all that may be a phrase."""
        starts = self._edges.starts(key)
        if len(key) - max(starts) > 2 * LONGEST + self._edges.longest_behind:
            return
        for end in range(len(key), max(1, len(key) - self._edges.longest_behind), -1):
            rest = key[end:]
            forms = self._edges.forms_before(rest)
            if "noun" not in forms and rest[:1] in _DONE_BY and self._done(rest):
                forms |= {"noun"}
            slurred = not forms and rest in self._edges.slurred
            if not forms and not slurred:
                continue
            for start in starts:
                if 1 < end - start <= 2 * LONGEST:
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

    def _entries(self, bones: str, difference: Difference) -> Iterable[tuple[_Entry, int]]:
        """Entries that may be meant, with the distance of their skeletons: beyond 1 it is crowded."""
        if difference != "kana":
            return ((e, 0) for e in self._whole.get(bones, ()))
        found = {id(e): e for cut in (bones, *deletions(bones)) for e in self._short.get(cut, ())}
        near = ((e, Levenshtein.distance(e.skeleton, bones)) for e in found.values())
        return [(e, distance) for e, distance in near if distance]


def _single(best: Mapping[str, Guess]) -> Guess | None:
    return next(iter(best.values())) if len(best) == 1 else None


def _one_off(bones: str, known: str) -> bool:
    """One kana more, less or, where the verb is long enough, another one: マワッテ is not サワッテ."""
    if len(known) < SHORTEST or (len(known) == SHORTEST and len(bones) == SHORTEST):
        return bones == known and len(known) >= SHORTEST
    return Levenshtein.distance(bones, known, score_cutoff=1) <= 1


def _differs(said: str, key: str, difference: Difference) -> bool:
    """True unless it differs by more than `difference` says; or by nothing, and so was refused by the exact rules."""
    if said == key:
        return False
    return difference != "length" or shorten(said.translate(_DROPPED)) == shorten(key.translate(_DROPPED))


def is_word(heard: Heard, guess: Guess) -> bool:
    """True when what stands in the phrase's place is itself something that is done: シャンプー|して, 触って.

    Then it was probably said, and a guess is worth a question at most.
    """
    said = [t for t in heard.tokenised.tokens if guess.start <= t.start < guess.end]
    if guess.difference == "length":
        return False
    if not heard.kana_only and guess.difference in ("kana", "crowd"):
        return True  # a recogniser that writes kanji slips from word to word
    if not said or said[0].start != guess.start or any(t.morpheme.is_oov() for t in said):
        return False
    with_object = len(said) > 2 and any(t.surface in ("を", "に") for t in said[1:-1])  # 手を洗って
    in_kanji = len(said) == 1 and any("一" <= c <= "龯" for c in said[0].morpheme.normalized_form())  # タンス is 箪笥
    if with_object or in_kanji:
        return True
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
        if min(yes, no) < 0:
            raise DataError(f"{path}:{line}: the last three columns are whole numbers, the counts not below zero")
        if n not in LENGTHS:
            raise DataError(f"{path}:{line}: lengths begin at {LENGTHS}, not {n}")
        table[difference, frame, n] = (yes + 1) / (yes + no + 2)
    return table
