"""What is said while near misses are counted: commands, and everything that is none.

Nothing here is spoken yet. Choices are drawn from the seed and the sentence itself, so that a new line in a table
adds its own sentences and changes no other's: what was spoken before is still in the cache.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claudiad.brain.conjugate import words
from claudiad.brain.phrases import Phrase, parse_action
from claudiad.brain.tables import expand, rows
from claudiad.types import Action
from training.stt import corpus, texts

Source = Literal["command", "to it", "people", "traps", "read"]
"""command: something is to be done. The others want nothing done. to it: other things said to the robot, heard;
people: sentences among people, heard; traps: what the tests say must not move it, as kana; read: sentences among
people as kana, what a recogniser that knows the whole language would deliver."""

HEARD: tuple[Source, ...] = ("command", "to it", "people")
TALK: tuple[Source, ...] = ("to it", "people", "traps", "read")

LISTS = Path(__file__).parents[2] / "tests" / "brain" / "data"
BARE = 2
"""How often a phrase is said as it stands; people mostly say no more than that."""
DRESSED = 3
"""How often with politeness behind it, a third of the time with a name or a filler in front."""
LISTED = 4
"""How often a line of the tests' list of commands is said."""
SAID_ENDINGS = ("ね", "よ", "な", "よね", "です", "ですね")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Saying:
    """One sentence and what is to come of it."""

    source: Source
    text: str
    """As Open JTalk is to read it; kana where it is not spoken."""
    about: str
    """What it was made from: sentences that share it are never on both sides of a held-out half."""
    actions: tuple[Action, ...] = ()
    number: int = 0
    """Which time this sentence is said."""


def commands(
    table: Path, phrases: Iterable[Phrase], actions: Mapping[str, int], lists: Path, seed: int
) -> Iterator[Saying]:
    """Every line of the phrase table with an action, bare and with politeness, and the tests' list of commands.

    A line that stands for many phrases is said as often as one that stands for one, each time by another of them.
    `actions`: every registered action's name and API id. Raises `DataError` for a table that cannot be read.
    """
    for line, alike in _lines_of(table, phrases):
        if alike[0].actions:
            rng = random.Random(f"{seed} {line}")
            for number in range(BARE):
                phrase = rng.choice(alike)
                yield Saying("command", phrase.text, line, phrase.actions, number)
            for phrase in rng.choices(alike, k=DRESSED):
                yield Saying("command", _dressed(phrase, rng), line, phrase.actions)
    where = lists / "commands.tsv"
    for row, (text, calls, *kana) in rows(where, 2, 3):
        if not _LATIN.search(text):
            wanted = tuple(a for call in calls.split(" | ") for a in parse_action(call, actions, f"{where}:{row}"))
            for number in range(BARE, BARE + LISTED):
                yield Saying("command", kana[0] if kana else text, text, wanted, number)


def _lines_of(table: Path, phrases: Iterable[Phrase]) -> Iterator[tuple[str, list[Phrase]]]:
    """(line, its phrases) of what is Japanese."""
    known = {phrase.text: phrase for phrase in phrases}
    for _, (line, *_) in rows(table, 3, 4):
        alike = [known[text] for text in expand(line) if text in known]
        if alike and not line.startswith("="):
            yield line, alike


def _dressed(phrase: Phrase, rng: random.Random) -> str:
    forms = words(phrase.text)
    if phrase.kind != "action":
        endings: Sequence[str] = SAID_ENDINGS
    else:
        endings = texts.TE_ENDINGS if forms and forms[0].form == "te" else texts.NOUN_ENDINGS
    front = rng.choice([*texts.NAMES, *texts.FILLERS]) + "、" if rng.random() < 1 / 3 else ""
    return front + phrase.text + rng.choice([e for e in dict.fromkeys(endings) if e])


def to_it(table: Path, phrases: Iterable[Phrase], lists: Path) -> Iterator[Saying]:
    """What is said to it and asks for no motion: questions and praise of the table, forbidding, everyday talk."""
    for line, alike in _lines_of(table, phrases):
        if not alike[0].actions:
            yield Saying("to it", alike[0].text, line)
    for text in _lines(lists / "traps.txt"):
        yield from (Saying("to it", text, text, (), number) for number in range(4))
    for text in _lines(lists / "everyday.txt"):
        yield from (Saying("to it", text, text, (), number) for number in range(2))


def people(rohan: Path) -> Iterator[Saying]:
    """Clauses of the ROHAN sentences that the recogniser was never trained on."""
    for piece in texts.rohan_pieces(texts.rohan_sentences(rohan)[corpus.ROHAN_TRAIN :]):
        yield Saying("people", piece, piece)


def traps(lists: Path) -> Iterator[Saying]:
    """The tests' lists of what must not move it, as kana, whole and cut at commas."""
    for name in ("traps.txt", "everyday.txt"):
        for line in _lines(lists / name):
            for piece in dict.fromkeys([line, *re.split("[、。]", line)]):
                if kana := corpus.front_end(piece)[0]:
                    yield Saying("traps", kana, line)


def read(rohan: Path) -> Iterator[Saying]:
    """All of ROHAN as pronounced, whole and cut at commas."""
    for line in rohan.read_text(encoding="utf-8").splitlines():
        kana = line.rpartition(",")[2]
        for piece in dict.fromkeys([kana, *kana.split("、")]):
            if plain := corpus.KANA.sub("", piece):
                yield Saying("read", plain, kana)


def _lines(path: Path) -> Iterator[str]:
    return (text for _, (text,) in rows(path, 1))
