"""What stands around a command: names and fillers in front, politeness behind, connectives between.

All of it works on keys (`reading.reading`), anchored at an end, and from a positive list
(`data/endings.tsv`). Nothing is ever looked for inside a key. A negation is known too, as something that
forbids what it stands behind; a report, a conditional or a quotation is simply not in the list: it stays, and the
key with it in is unknown, so nothing moves.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claudiad.brain.conjugate import FORMS, Form
from claudiad.brain.kana import fold, unstretched
from claudiad.brain.tables import expand, rows
from claudiad.errors import DataError

NOTHING = "@"
"""How the table writes the empty string."""

MAX_FILLERS = 5
LONGEST_TOPIC = 14
"""Kana."""

Answer = Literal["yes", "no", "again"]

_OTHERS = (
    "name",
    "topic",
    "back",
    "filler",
    "help",
    "show",
    "join",
    "join_noun",
    "join_ta",
    "join_dict",
    "early",
    "late",
)
_ANSWERS: tuple[Answer, ...] = ("yes", "no", "again")
_KINDS = frozenset([*_OTHERS, *_ANSWERS, *(k for f in FORMS for k in (f, f + "?", "not_" + f))])
_AFTER_NO = frozenset(
    ("クダサイ", "ネ", "ヨ", "オネガイ", "カラ", "カラネ", "ッテ", "ッテバ", "ッテイッテル", "ッテイッテルノ")
)
_REQUESTS = ("クダサ", "クレ", "モラエ", "モラッテモ", "チョオ", "オネガイ", "ホシイ", "イタダケ")
_VOWELS = frozenset("アイウエオ")
_NONE: frozenset[Form] = frozenset()


@dataclass(frozen=True, slots=True)
class Edges:
    """The table of what may surround a step, by kind; every entry is a key."""

    front: frozenset[str]
    names: frozenset[str]
    name_lengths: tuple[int, ...]
    name_ends: frozenset[str]
    """Last kana of names: most endings need not be looked at twice."""
    behind: Mapping[Form, frozenset[str]]
    midway: frozenset[str]
    """Politeness behind a te-form that something else may follow."""
    forms: Mapping[str, frozenset[Form]]
    """The same the other way round: after which forms an ending may stand."""
    begun: frozenset[str]
    """Every beginning of politeness behind a te-form: an utterance that is still going on."""
    slurred: frozenset[str]
    """Requests behind a te-form with one kana lost: クダイ, クレマスカ without its マ."""
    perhaps: Mapping[Form, frozenset[str]]
    negations: Mapping[Form, frozenset[str]]
    joins: Mapping[Form, frozenset[str]]
    show: frozenset[str]
    topics: frozenset[str]
    back: frozenset[str]
    early: tuple[str, ...]
    late: tuple[str, ...]
    answers: Mapping[str, Answer]
    longest_front: int
    longest_behind: int
    longest_join: int

    def starts(self, key: str, start: int = 0) -> tuple[int, ...]:
        """Positions at which a step can begin: `start` itself, then after one, two… fillers or names."""
        return _starts(self.front, self.longest_front, key, start)

    def is_company(self, key: str) -> bool:
        """True for nothing but names and fillers: クラウディアさん, えーと."""
        return len(key) in self.starts(key)

    def denies_name(self, key: str) -> bool:
        """True for 君じゃないよ, クラウディアじゃなくて: somebody else is meant."""
        ends = (n for n in self.name_lengths if key[:n] in self.names)
        return any(key[n:].startswith(("ジャナ", "デワナ", "ヤナ")) for n in ends)

    def takes_back(self, key: str) -> bool:
        """True for a clause that only takes back what was said before: 違う違う, やっぱりやめた."""
        return any(key[start:] in self.back for start in self.starts(key) if start < len(key))

    def topic_ends(self, key: str) -> Iterator[int]:
        """Behind 君は, ばあばはあんたが, 今日も…: where praise may begin when somebody or something is named first."""
        seen = {0}
        level = [0]
        while level:
            at = level.pop()
            for start in self.starts(key, at):
                for end in range(start + 1, min(len(key), start + LONGEST_TOPIC) + 1):
                    if end not in seen and key[start:end] in self.topics:
                        seen.add(end)
                        level.append(end)
                        yield end

    def after(self, form: Form, key: str, end: int) -> Iterator[int]:
        """Where the next step can begin when one of this form ended at `end`, longest connective first."""
        known = self.joins.get(form)
        if not known:
            return
        polite = self.midway if form == "te" else frozenset(("",))
        seen = set()
        for said in range(min(len(key), end + self.longest_behind), end - 1, -1):
            if key[end:said] not in polite:
                continue
            for stop in range(min(len(key), said + self.longest_join), said - 1, -1):
                if stop not in seen and key[said:stop] in known:
                    seen.add(stop)
                    yield stop

    def ends(self, form: Form, rest: str, *, perhaps: bool = False) -> bool:
        """True when `rest` is all politeness (and perhaps a name) that fits behind this form.

        `perhaps`: also what makes a wish or a question of it.
        """
        if form in self.forms_before(rest):
            return True
        return perhaps and _in(rest, self.perhaps[form])

    def forms_before(self, rest: str) -> frozenset[Form]:
        """All forms behind which `rest` is nothing but politeness and perhaps a name."""
        found = self.forms.get(rest, _NONE)
        if rest[-1:] in _VOWELS:
            found |= self.forms.get(unstretched(rest), _NONE)
        if rest[-1:] in self.name_ends:
            for n in self.name_lengths:
                if n <= len(rest) and rest[-n:] in self.names:
                    found |= self.forms_before(rest[:-n])
        return found

    def negated(self, form: Form, key: str, end: int) -> Iterator[int]:
        """Where a negation of a step of this form that ended at `end` may stop, longest first."""
        known = self.negations.get(form)
        if known:
            for stop in range(min(len(key), end + self.longest_behind), end, -1):
                if key[end:stop] in known:
                    yield stop

    def ends_after_negation(self, rest: str) -> bool:
        """True when nothing is left behind a negation but particles, politeness or a name."""
        return self.ends("said", rest) or rest in _AFTER_NO


def load_edges(path: Path) -> Edges:
    """Read `endings.tsv`. Raises `DataError` with the line for an unknown kind or an unclosed brace."""
    found: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    for line, (kind, text) in rows(path, 2):
        if kind not in found:
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(sorted(_KINDS))}")
        written = "" if text == NOTHING else text
        if written.count("{") != written.count("}"):
            raise DataError(f"{path}:{line}: a brace is not closed")
        found[kind] |= {fold(each) for each in expand(written)}
    te = found["te"] | {helper + rest for helper in found["help"] for rest in found["te"]}
    found["ostem"] |= {e for e in found["te"] if e.startswith(("イタダ", "クダサ"))}  # お座り|いただけますか
    found["noun"] |= {e for e in found["ostem"] if e.startswith(("イタダ", "ネガ"))}  # お掛け|いただけますか
    behind = {form: frozenset(te if form == "te" else found[form]) for form in FORMS}
    forms: dict[str, frozenset[Form]] = {}
    for form, endings in behind.items():
        for ending in endings:
            forms[ending] = forms.get(ending, _NONE) | {form}
    front = frozenset(found["filler"] | found["name"] | found["early"] | found["late"])
    joins: dict[Form, frozenset[str]] = {
        "te": frozenset(found["join"]),
        "imp": frozenset(j for j in found["join"] if not j.startswith("カラ")),
        "noun": frozenset(found["join_noun"]),
        "ta": frozenset(found["join_ta"]),
        "dict": frozenset(found["join_dict"]),
    }
    negations = {form: frozenset(found["not_" + form]) for form in FORMS}
    return Edges(
        front=front,
        names=frozenset(found["name"]),
        name_ends=frozenset(name[-1] for name in found["name"]),
        name_lengths=tuple(sorted({len(name) for name in found["name"]})),
        behind=behind,
        midway=frozenset(e for e in te if "オネガイ" not in e),  # 座って|お願いポーズ
        forms=forms,
        begun=frozenset(e[:n] for e in found["te"] for n in range(len(e) + 1)),
        slurred=_slurred(
            found["te"], {e for k in found if k.endswith("?") or k.startswith("not_") for e in found[k]} | set(forms)
        ),
        perhaps={form: frozenset(found[form + "?"]) for form in FORMS},
        negations=negations,
        joins=joins,
        show=frozenset(found["show"]),
        topics=frozenset(found["topic"]),
        back=frozenset(found["back"]),
        early=tuple(found["early"]),
        late=tuple(found["late"]),
        answers={key: kind for kind in _ANSWERS for key in found[kind]},
        longest_front=max(map(len, front), default=0),
        longest_behind=max((len(e) for ends in (*behind.values(), *negations.values()) for e in ends), default=0),
        longest_join=max((len(j) for known in joins.values() for j in known), default=0),
    )


@functools.lru_cache(maxsize=2048)
def _starts(front: frozenset[str], longest: int, key: str, start: int) -> tuple[int, ...]:
    # The same key is cut several times on the way to one decision. A frozenset keeps its hash.
    out = [start]
    level = [start]
    for _ in range(MAX_FILLERS):
        following: list[int] = []
        for at in level:
            for end in range(min(len(key), at + longest), at, -1):
                if end not in out and key[at:end] in front:
                    out.append(end)
                    following.append(end)
        level = following
    return tuple(out)


def _slurred(endings: set[str], known: set[str]) -> frozenset[str]:
    """Requests (クダサイ, クレマスカ, チョオダイ…) with one kana lost, where that is not another ending."""
    said = (e for e in endings if len(e) in range(4, 10) and e.startswith(_REQUESTS))
    return frozenset(e[:i] + e[i + 1 :] for e in said for i in range(1, len(e))) - known


def _in(rest: str, allowed: frozenset[str]) -> bool:
    return rest in allowed or (rest[-1:] in _VOWELS and unstretched(rest) in allowed)
