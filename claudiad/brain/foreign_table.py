"""The table of what English and Chinese words are: `data/foreign.tsv`, ready for looking up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from claudiad.brain.motion import Way
from claudiad.brain.phrases import parse_action
from claudiad.brain.tables import rows
from claudiad.errors import DataError
from claudiad.types import Action

MAX_SPELLINGS = 256
"""Most texts that one row with (alter|natives) may stand for."""

Role = Literal[
    "do", "go", "noun", "say", "stop", "rest",  # what a segment is about
    "halt", "doing", "giver", "hand", "det",  # what makes one of a noun or a gerund
    "name", "oh", "front", "behind", "ask", "can", "closing", "not", "over", "lead",  # what stands around it
    "joint", "but", "rather",  # what stands between two
    "prep", "owner", "person", "also", "place",  # for whom, and where
    "verb", "way", "soft", "about", "unit",  # motions
    "number", "one", "scale", "plus", "point", "half", "andhalf", "times", "count",  # numbers
]  # fmt: skip
Verb = Literal["walk", "go", "take", "forward", "back", "turn", "make", "spin", "face"]
Unit = Literal["m", "cm", "step", "s", "deg", "turn"]
ROLES: tuple[Role, ...] = get_args(Role)
_CALLS = ("do", "go", "noun", "say")
_WORDS: Mapping[Role, tuple[str, ...]] = {
    "stop": ("-", "latch", "alone", "clause"),
    "rest": ("-", "loose"),
    "way": get_args(Way),
    "verb": get_args(Verb),
    "unit": get_args(Unit),
}
_NUMBERS = ("number", "one", "scale", "times")

_APOSTROPHE = re.compile(r"['`´‘’\ufe0f]")
_HYPHEN = re.compile(r"(?<=[a-z])[-‐‑](?=[a-z])")
_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|[a-z\u00df-\u024f]+|[?,.!;:…~〜。、—–]+|\S")
PUNCTUATION = frozenset("?,.!;:…~〜。、—–")
_CHOICE = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One spelling of one row of the table."""

    text: str
    value: str = ""
    number: float = 0.0
    actions: tuple[Action, ...] = ()
    reply: str = ""


Tokens = tuple[str, ...]
Rows = Mapping[Tokens, Mapping[Role, Entry]]


def read_table(path: Path, actions: Mapping[str, int]) -> tuple[Rows, Mapping[int, str]]:
    """Spelling → role → entry, and what traditional characters are folded to.

    `actions`: every registered action's name and API id; motions need `move`. Raises `DataError` (`file:line: …`) for
    an unknown role, action or value, a wrong number of columns, an empty text, unbalanced brackets, and a spelling that
    already has this role.
    """
    table: dict[Tokens, dict[Role, Entry]] = {}
    same: dict[int, str] = {}
    for line, (name, text, *rest) in rows(path, 2, 3, 4):
        where = f"{path}:{line}"
        if name == "same":
            same |= _same(text, rest, where)
            continue
        role = next((r for r in ROLES if r == name), None)
        if role is None:
            raise DataError(f"{where}: unknown role {name!r}")
        made = _entry(role, rest, actions, where)
        for spelling in _spellings(text, where):
            tokens = split_words(spelling, same)
            if not tokens or not PUNCTUATION.isdisjoint(tokens):
                raise DataError(f"{where}: {text!r} has a spelling with punctuation or without words")
            here = table.setdefault(tokens, {})
            if role in here:
                raise DataError(f"{where}: {spelling!r} is already there as {role}")
            here[role] = replace(made, text=spelling)
    return table, same


def _same(text: str, rest: list[str], where: str) -> dict[int, str]:
    if len(rest) != 1 or len(text) != len(rest[0]):
        raise DataError(f"{where}: two columns of characters, as many in one as in the other, belong here")
    return {ord(a): b for a, b in zip(text, rest[0], strict=True)}


def _entry(role: Role, rest: list[str], actions: Mapping[str, int], where: str) -> Entry:
    columns = 2 if role in _CALLS else 1 if role in _WORDS or role in _NUMBERS else 0
    if len(rest) != columns:
        raise DataError(f"{where}: {role} has {columns + 2} columns")
    if role in _CALLS:
        call = parse_action(rest[0], actions, where)
        if not rest[1] or (role == "noun" and not call):
            raise DataError(f"{where}: an action or a reply is missing")
        return Entry("", "", 0.0, call, rest[1])
    if role in _WORDS and rest[0] not in _WORDS[role]:
        raise DataError(f"{where}: {rest[0]!r} is not one of {', '.join(_WORDS[role])}")
    if role in _NUMBERS and not (rest[0].isascii() and rest[0].isdigit() and int(rest[0]) <= 100):
        raise DataError(f"{where}: {rest[0]!r} is not a number from 0 to 100")
    return Entry("", rest[0] if rest else "", float(rest[0]) if role in _NUMBERS else 0.0)


def _spellings(text: str, where: str) -> list[str]:
    """`sit (down|)` → sit down, sit."""
    out = [text]
    while any(_CHOICE.search(t) for t in out):
        if len(out) > MAX_SPELLINGS:
            raise DataError(f"{where}: {text!r} stands for more than {MAX_SPELLINGS} texts")
        out = list(dict.fromkeys(spelled for t in out for spelled in _choices(t)))
    if any(c in "()|" for t in out for c in t):
        raise DataError(f"{where}: {text!r} has brackets that do not match")
    return list(dict.fromkeys(" ".join(t.split()) for t in out))


def _choices(text: str) -> list[str]:
    """The text with each alternative of its first innermost brackets."""
    found = _CHOICE.search(text)
    if found is None:
        return [text]
    return [text[: found.start()] + choice + text[found.end() :] for choice in found[1].split("|")]


def split_words(text: str, same: Mapping[int, str]) -> Tokens:
    """Words, numbers and single characters; a run of punctuation is `,`, or `?` with a question mark in it."""
    folded = _HYPHEN.sub(" ", _APOSTROPHE.sub("", text.casefold())).translate(same)
    out: list[str] = []
    for found in _TOKEN.findall(folded):
        token = found if found[0] not in PUNCTUATION else "?" if "?" in found else ","
        if token in (",", "?") and out and out[-1] in (",", "?"):
            out[-1] = max(token, out[-1])  # "?" > ","
        elif token not in (",", "?") or out:
            out.append(token)
    return tuple(out)
