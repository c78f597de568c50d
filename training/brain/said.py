"""What is said while near misses are counted: commands, and everything that is none.

Nothing here is spoken yet. Choices are drawn from the seed and the sentence itself, so that a new line in a table
adds its own sentences and changes no other's: what was spoken before is still in the cache.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claudiad.brain.conjugate import words
from claudiad.brain.phrases import Phrase, parse_action
from claudiad.brain.tables import rows
from claudiad.types import Action
from training.stt import corpus, texts

Source = Literal["command", "to it", "traps", "people", "read"]
"""command: something is to be done. The others want nothing done: to it: other things said to the robot, heard;
traps: the lists of the tests, as kana; people: sentences among people, heard; read: the same as kana, without an ear."""

TALK: tuple[Source, ...] = ("to it", "traps", "people", "read")
LISTS = Path("tests/brain/data")
BARE = 3
"""How often a phrase is said as it stands; people mostly say no more than that."""
DRESSED = 6
"""How often with politeness behind it, a third of the time with a name or a filler in front."""
SAID_ENDINGS = ("ね", "よ", "な", "よね", "です", "ですね")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Saying:
    """One sentence and what is to come of it."""

    source: Source
    text: str
    """As Open JTalk is to read it; kana for those that are not spoken."""
    actions: tuple[Action, ...] = ()
    number: int = 0
    """Which time this sentence is said."""


def commands(phrases: Iterable[Phrase], actions: Mapping[str, int], lists: Path, seed: int) -> Iterator[Saying]:
    """Every phrase with an action, bare and with politeness, and the tests' list of commands."""
    for phrase in phrases:
        if phrase.actions and not phrase.text.startswith("="):
            for number in range(BARE):
                yield Saying("command", phrase.text, phrase.actions, number)
            for text in dict.fromkeys(_dressed(phrase, seed)):
                yield Saying("command", text, phrase.actions)
    where = lists / "commands.tsv"
    for line, (text, calls, *kana) in rows(where, 2, 3):
        if not _LATIN.search(text):
            wanted = tuple(a for call in calls.split(" | ") for a in parse_action(call, actions, f"{where}:{line}"))
            for number in range(BARE, BARE + DRESSED):
                yield Saying("command", *(kana or [text]), wanted, number)


def _dressed(phrase: Phrase, seed: int) -> Iterator[str]:
    rng = random.Random(f"{seed} {phrase.text}")
    forms = words(phrase.text)
    if phrase.kind != "action":
        endings: Iterable[str] = SAID_ENDINGS
    else:
        endings = texts.TE_ENDINGS if forms and forms[0].form == "te" else texts.NOUN_ENDINGS
    known = [e for e in dict.fromkeys(endings) if e]
    for ending in rng.choices(known, k=DRESSED):
        front = rng.choice([*texts.NAMES, *texts.FILLERS]) + "、" if rng.random() < 1 / 3 else ""
        yield front + phrase.text + ending


def to_it(phrases: Iterable[Phrase], lists: Path) -> Iterator[Saying]:
    """What is said to it and asks for nothing: questions and praise of the table, forbidding, everyday talk."""
    for phrase in phrases:
        if not phrase.actions and not phrase.text.startswith("="):
            yield from (Saying("to it", phrase.text, (), number) for number in range(2))
    for text in _lines(lists / "traps.txt"):
        yield from (Saying("to it", text, (), number) for number in range(4))
    for text in _lines(lists / "everyday.txt"):
        yield from (Saying("to it", text, (), number) for number in range(2))


def traps(lists: Path) -> Iterator[Saying]:
    """The tests' lists of what must not move it as kana, whole and cut at commas."""
    for name in ("traps.txt", "everyday.txt"):
        for line in _lines(lists / name):
            for piece in dict.fromkeys([line, *re.split("[、。]", line)]):
                if kana := corpus.front_end(piece)[0]:
                    yield Saying("traps", kana)


def people(rohan: Path) -> Iterator[Saying]:
    """The sentences of ROHAN the recogniser was never trained on, as clauses."""
    for piece in texts.rohan_pieces(texts.rohan_sentences(rohan)[corpus.ROHAN_TRAIN :]):
        yield Saying("people", piece)


def read(rohan: Path) -> Iterator[Saying]:
    """All of ROHAN as pronounced, whole and cut at commas."""
    for line in rohan.read_text(encoding="utf-8").splitlines():
        kana = line.rpartition(",")[2]
        for piece in dict.fromkeys([kana, *kana.split("、")]):
            if plain := corpus.KANA.sub("", piece):
                yield Saying("read", plain)


def _lines(path: Path) -> Iterator[str]:
    return (text for _, (text,) in rows(path, 1))
