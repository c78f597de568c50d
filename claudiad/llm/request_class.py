"""How much is asked for, and what about: from the words alone, before any model is asked. Pure.

`classify` decides how long a first token is waited for and how long an answer may be; `choose_kind` which prompt it
gets. Neither decides anything that moves: a wrong class costs time, a wrong prompt a poorer answer.

Words are looked for by reading, because the embedded recogniser writes nothing but katakana, and only where a word
begins: たら is not looked for inside 新しい. In katakana that the tokeniser cannot take apart, they count anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from claudiad.brain.reading import Heard, Token, hear, reading
from claudiad.brain.tables import DATA, expand, rows
from claudiad.errors import DataError
from claudiad.robot import registry
from claudiad.types import RobotState

LONG = 32
"""Kana from which an utterance is complex whatever is in it."""
REASON_FROM = 18
"""Kana from which a clause with から or けど makes it complex."""
BRIEF_TO = 14
"""Most kana of 電池の残りを教えて and its kin, which are answered in a word."""
CLAUSES = 3
"""Clauses from which it is complex."""

Word = Literal[
    "greeting",
    "beside",
    "joins",
    "reason",
    "explain",
    "brief",
    "request",
    "talk",
    "movement",
    "adjust",
    "about",
    "explains",
]


class RequestClass(StrEnum):
    """How much is asked for; each has its budget (settings `turn.greeting_budget_ms`, `simple_…`, `complex_…`)."""

    GREETING = "greeting"
    SIMPLE = "simple"
    COMPLEX = "complex"


class PromptKind(StrEnum):
    """What it is about; each has its prompt."""

    DIALOG = "dialog"
    COMMAND = "command"
    """An action is likely."""
    TECHNICAL = "technical"
    """A question about the robot itself."""
    EMERGENCY = "emergency"
    """Said after a stop, or while nothing may move."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """`data/request_class.tsv`, ready for looking up."""

    keys: Mapping[Word, tuple[str, ...]]
    """Keys of `reading`, longest first."""
    written: Mapping[Word, frozenset[str]]
    """The same as written, for dictionary forms."""


def load_classes(path: Path = DATA / "request_class.tsv") -> ClassTable:
    """Read the table. Raises `DataError` (`file:line: …`) for an unknown kind and for a word without a reading."""
    found: dict[Word, dict[str, str]] = {kind: {} for kind in get_args(Word)}
    for line, (kind, text) in rows(path, 2):
        if kind not in found:
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(found)}")
        for word in expand(text):
            if not (key := reading(word)):
                raise DataError(f"{path}:{line}: {word!r} has no reading")
            found[kind][word] = key
    return ClassTable(
        {kind: tuple(sorted(set(words.values()), key=len, reverse=True)) for kind, words in found.items()},
        {kind: frozenset(words) for kind, words in found.items()},
    )


def classify(text: str) -> RequestClass:
    """How much is asked for in `text`. Never raises."""
    heard = hear(text)
    if not heard.key:
        return RequestClass.SIMPLE
    if _greets(heard.key):
        return RequestClass.GREETING
    words = _Words(heard)
    if len(heard.key) >= LONG or len(heard.clauses) >= CLAUSES or words.any("joins"):
        return RequestClass.COMPLEX
    if len(heard.key) >= REASON_FROM and words.gives_a_reason:
        return RequestClass.COMPLEX
    if words.any("explain") and not (len(heard.key) <= BRIEF_TO and words.any("brief")):
        return RequestClass.COMPLEX
    return RequestClass.SIMPLE


def choose_kind(text: str, state: RobotState, *, after_stop: bool) -> PromptKind:
    """Which prompt `text` gets. `after_stop`: said right after a stop, or with the latch on. Never raises."""
    if after_stop:
        return PromptKind.EMERGENCY
    words = _Words(hear(text))
    if _greets(words.heard.key):
        return PromptKind.DIALOG
    moves = words.any("movement") or words.names_an_action()
    if words.any("about") and not (moves and words.asked_to_do):
        return PromptKind.TECHNICAL
    if moves and words.any("explains"):
        return PromptKind.TECHNICAL
    if words.asked_to_do or (moves and (words.ends_in_a_request or not words.any("talk"))):
        return PromptKind.COMMAND
    adjusts = state.running is not None and words.any("adjust")
    return PromptKind.COMMAND if adjusts else PromptKind.DIALOG


class _Words:
    """What words an utterance has."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self._tokens = heard.tokenised.tokens
        self._starts = {token.start for token in self._tokens}

    def any(self, kind: Word) -> bool:
        """True when a word of this kind begins somewhere in it, in any form where the table has its dictionary form."""
        table = _table()
        if any(token.lemma in table.written[kind] for token in self._tokens):
            return True
        return self._begins(table.keys[kind])

    def names_an_action(self) -> bool:
        """True when it has the title of a registered action, in any form of its verb."""
        titles = _titles()
        return any(token.lemma in titles for token in self._tokens) or self._begins(titles.values())

    @property
    def asked_to_do(self) -> bool:
        """A request for something other than words: not 教えて."""
        return self.ends_in_a_request and not self.any("talk")

    @property
    def ends_in_a_request(self) -> bool:
        """踊って, 座ってください, 挨拶しよう, 立て."""
        return self.any("request") or any(_asks(self._tokens, i) for i in _last(self._tokens))

    @property
    def gives_a_reason(self) -> bool:
        """Two clauses joined by から, けど or が; not どこから, and not 犬が."""
        reasons = _table().written["reason"]
        return any(token.surface in reasons and token.pos[1] == "接続助詞" for token in self._tokens[:-1])

    def _begins(self, keys: Iterable[str]) -> bool:
        key, starts = self.heard.key, self._starts
        for word in keys:
            at = key.find(word)
            while at >= 0:
                if not starts or at in starts:
                    return True
                at = key.find(word, at + 1)
        return False


def _last(tokens: tuple[Token, ...]) -> list[int]:
    """Indices of the last token and, where it is a particle of tone (踊ってね), of the one before."""
    last = len(tokens) - 1
    while last > 0 and tokens[last].pos[1] == "終助詞":
        last -= 1
    return [last] if last >= 0 else []


def _asks(tokens: tuple[Token, ...], i: int) -> bool:
    """A te-form, an imperative or a proposal at the end of a sentence."""
    token = tokens[i]
    if token.surface in ("て", "で") and token.pos[1] == "接続助詞":
        return i > 0 and tokens[i - 1].pos[0] in ("動詞", "助動詞")
    return token.pos[5].startswith(("命令形", "意志推量形"))


def _greets(key: str) -> bool:
    """True when the key is greetings and what goes with them, and nothing else."""
    table = _table()
    greetings, beside = table.keys["greeting"], table.keys["beside"]
    # reached[i]: whether the first i kana are such words, and whether one of them is a greeting.
    reached: dict[int, bool] = {0: False}
    for at in range(len(key)):
        if at not in reached:
            continue
        for words, greets in ((greetings, True), (beside, False)):
            for word in words:
                if key.startswith(word, at):
                    end = at + len(word)
                    reached[end] = reached.get(end, False) or reached[at] or greets
    return reached.get(len(key), False)


@cache
def _table() -> ClassTable:
    return load_classes()


@cache
def _titles() -> Mapping[str, str]:
    table = registry.load()
    return {spec.title: reading(spec.title) for spec in table.values() if not spec.internal}
