"""The table of stop words: `data/stops.tsv`, ready for looking up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from claudiad.brain.conjugate import Form, Word, doing, words
from claudiad.brain.kana import deletions, shorten
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.reading import letters, reading
from claudiad.brain.tables import rows
from claudiad.errors import DataError

NEAR_MIN = 4
"""Fewest kana of a stop word for which one wrong kana still counts while the robot moves."""
NEAR_MAX = 6
"""Most: お待ちください is one kana from お立ちください."""
SLIP_MIN = 3
"""Fewest kana of a stop word whose lengths may be other than they should be."""

_PLAIN = ("te", "imp", "noun", "said")
"""Forms that are a stop by themselves."""
_KINDS = ("word", "said", "maybe", "end", "tail", "plea", "halt", "foreign", "kanji", "release")


@dataclass(frozen=True, slots=True)
class StopWord:
    """One line of the table, in one of its forms."""

    text: str
    latch: bool
    alone: bool = False
    """Only a stop as the whole utterance: as one clause of several it would be about something else."""


@dataclass(frozen=True, slots=True)
class StopTable:
    """`stops.tsv`, ready for looking up."""

    lexicon: Lexicon[StopWord]
    tails: frozenset[str]
    pleas: frozenset[str]
    halts: frozenset[str]
    foreign: Mapping[str, StopWord]
    slips: Mapping[str, tuple[StopWord, Form]]
    """By key without length and っ: とまて, とまっれ, やーめーてー."""
    slip_begins: frozenset[str]
    """First two kana of those: most keys need no closer look."""
    maybe: Mapping[str, StopWord]
    """By key: what is a stop only while the robot moves."""
    releases: frozenset[str]
    """Written forms with kanji."""
    release_keys: frozenset[str]
    kanji: frozenset[str]
    """What stop words and their company are written with."""
    core: tuple[tuple[str, StopWord], ...]
    """(key, word) of stop words long enough to be found with one kana wrong."""
    ends: tuple[tuple[str, StopWord], ...]
    """These, and shorter ones, that are believed at the end of anything while the robot moves."""
    cut: Mapping[str, tuple[tuple[str, StopWord], ...]]
    """What `core` has by what they are with one kana left out."""
    keys: frozenset[str]
    """Every stop word's key: what a reply of the robot must not contain."""


def load_stops(path: Path) -> StopTable:
    """Read `stops.tsv`. Raises `DataError` with the line for an unknown kind or latch column."""
    lines: dict[str, list[StopWord]] = {kind: [] for kind in _KINDS}
    for line, (kind, text, latch) in rows(path, 3):
        if kind not in _KINDS:
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(_KINDS)}")
        if latch not in ("-", "latch", "alone"):
            raise DataError(f"{path}:{line}: the last column is `latch`, `alone` or `-`, not {latch!r}")
        lines[kind].append(StopWord(text, latch == "latch", latch == "alone"))
    items = _forms(lines["word"], lines["said"])
    plain = {key: stop for (key, form), stop in items.items() if form in _PLAIN}
    slips = {bare(key): (stop, form) for (key, form), stop in items.items() if form in _PLAIN}
    core = tuple((key, stop) for key, stop in plain.items() if NEAR_MIN <= len(shorten(key)) <= NEAR_MAX)
    slips = {key: found for key, found in slips.items() if len(key) >= SLIP_MIN}
    return StopTable(
        lexicon=Lexicon((key, form, stop) for (key, form), stop in items.items()),
        tails=frozenset(reading(stop.text) for stop in lines["tail"]),
        pleas=frozenset(reading(stop.text) for stop in lines["plea"]),
        halts=frozenset(w.key for stop in lines["halt"] for w in words(stop.text) if w.form in _PLAIN),
        foreign={letters(stop.text): stop for stop in lines["foreign"]},
        slips=slips,
        slip_begins=frozenset(key[:2] for key in slips),
        maybe={reading(stop.text): stop for stop in lines["maybe"]},
        releases=frozenset(stop.text for stop in lines["release"]),
        release_keys=frozenset(reading(stop.text) for stop in lines["release"]),
        kanji=frozenset(char for stops in lines.values() for stop in stops for char in stop.text),
        core=core,
        ends=(*core, *((reading(stop.text), stop) for stop in lines["end"])),
        cut=_by_deletion(core),
        keys=frozenset(plain),
    )


def _forms(verbs: list[StopWord], said: list[StopWord]) -> dict[tuple[str, Form], StopWord]:
    """Every form in which a stop word may be said; the first line that has one keeps it."""
    items: dict[tuple[str, Form], StopWord] = {}
    for stop in verbs:
        for word in _words(stop.text):
            if word.form not in ("dict", "ta", "vol"):
                items.setdefault((word.key, word.form), stop)
    for stop in said:
        items.setdefault((reading(stop.text), "said"), stop)
    return items


def bare(key: str) -> str:
    """A key without っ and length, said once: トマテトマテ → トマテ."""
    short = shorten(key.replace("ッ", ""))
    for n in range(SLIP_MIN, len(short) // 2 + 1):
        if len(short) % n == 0 and short == short[:n] * (len(short) // n):
            return short[:n]
    return short


def _words(text: str) -> list[Word]:
    """A verb's forms; of a noun, 停止, also those of 停止して and 停止をして."""
    forms = words(text)
    if forms[0].form == "noun":
        done = [
            (o, wo, w)
            for w in doing()
            if w.key.startswith("シ") or w.key == "スル"
            for o, wo in (("", ""), ("オ", "を"))
        ]
        forms += [Word(text + wo + w.surface, forms[0].key + o + w.key, w.form) for o, wo, w in done]
    return forms


def _by_deletion(core: tuple[tuple[str, StopWord], ...]) -> dict[str, tuple[tuple[str, StopWord], ...]]:
    found: dict[str, tuple[tuple[str, StopWord], ...]] = {}
    for key, word in core:
        for cut in {key, *deletions(key)}:
            found[cut] = (*found.get(cut, ()), (key, word))
    return found
