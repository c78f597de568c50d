"""What stands around a command: names and fillers in front, politeness behind, connectives between.

All of it works on keys (`reading.reading`), anchored at an end, and from a positive list
(`data/endings.tsv`). Nothing is ever looked for inside a key. A negation, a wish, a report or a question
is simply not in the list: it stays, and the key with it in is unknown, so nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from claudiad.brain.conjugate import Form
from claudiad.brain.kana import fold, unstretched
from claudiad.brain.tables import rows
from claudiad.errors import DataError

KINDS = (
    "name",
    "filler",
    "te",
    "noun",
    "stem",
    "ostem",
    "imp",
    "said",
    "polite",
    "join",
    "join_noun",
    "join_ta",
    "join_dict",
)
NOTHING = "@"
"""How the table writes the empty string."""

MAX_FILLERS = 5

_VOWELS = frozenset("アイウエオ")


@dataclass(frozen=True, slots=True)
class Edges:
    """The table of what may surround a step, by kind; every entry is a key."""

    front: frozenset[str]
    names: tuple[str, ...]
    behind: Mapping[Form, frozenset[str]]
    joins: Mapping[Form, frozenset[str]]
    longest_front: int
    longest_join: int

    def starts(self, key: str, start: int = 0) -> Iterator[int]:
        """Positions at which a step can begin: `start` itself, then after one, two… fillers or names."""
        seen = {start}
        level = [start]
        for _ in range(MAX_FILLERS):
            yield from level
            following: list[int] = []
            for at in level:
                for end in range(min(len(key), at + self.longest_front), at, -1):
                    if end not in seen and key[at:end] in self.front:
                        seen.add(end)
                        following.append(end)
            level = following
        yield from level

    def after(self, form: Form, key: str, end: int) -> Iterator[int]:
        """Where the next step can begin when one of this form ended at `end`, longest connective first."""
        known = self.joins.get(form)
        if known:
            for stop in range(min(len(key), end + self.longest_join), end - 1, -1):
                if key[end:stop] in known:
                    yield stop

    def ends(self, form: Form, rest: str) -> bool:
        """True when `rest` is all politeness (and perhaps a name) that fits behind this form."""
        allowed = self.behind.get(form, frozenset())
        if _in(rest, allowed):
            return True
        return any(rest.endswith(name) and _in(rest[: -len(name)], allowed) for name in self.names)


def load_edges(path: Path) -> Edges:
    """Read `endings.tsv`. Raises `DataError` with the line for an unknown kind or a duplicate."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for line, (kind, text) in rows(path, 2):
        if kind not in found:
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(KINDS)}")
        key = "" if text == NOTHING else fold(text)
        if key in found[kind]:
            raise DataError(f"{path}:{line}: {text} is already there")
        found[kind].append(key)
    joins = found["join"]
    after_te = frozenset(polite + join for polite in ["", *found["polite"]] for join in joins)
    front = frozenset(found["filler"]) | frozenset(found["name"])
    return Edges(
        front=front,
        names=tuple(sorted(found["name"], key=len, reverse=True)),
        behind={
            "te": frozenset(found["te"]),
            "noun": frozenset(found["noun"]),
            "stem": frozenset(found["stem"]),
            "ostem": frozenset(found["ostem"]),
            "imp": frozenset(found["imp"]),
            "said": frozenset(found["said"]),
        },
        joins={
            "te": after_te,
            "imp": frozenset(j for j in joins if not j.startswith("カラ")),
            "noun": frozenset(found["join_noun"]),
            "ta": frozenset(found["join_ta"]),
            "dict": frozenset(found["join_dict"]),
        },
        longest_front=max(map(len, front), default=0),
        longest_join=max(map(len, after_te), default=0),
    )


def _in(rest: str, allowed: frozenset[str]) -> bool:
    return rest in allowed or (rest[-1:] in _VOWELS and unstretched(rest) in allowed)
