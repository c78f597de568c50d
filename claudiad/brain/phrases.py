"""The phrase table: what people say → which registered action, which answer.

Columns, tab-separated: phrase, action, kind, reply. A file of one's own may leave out the kind. Action is
`-` or a registered name with parameters (`move x=-0.3`, `Pose data=true`). A phrase in te-form or a noun
also answers to its other forms (`conjugate.words`); one that begins with `=` is compared as written,
for English and Chinese. A line always beats a form derived from another line.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from claudiad.brain.conjugate import Form, Word, words
from claudiad.brain.kana import loose
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.reading import clean, letters, reading
from claudiad.brain.tables import expand, rows
from claudiad.errors import DataError
from claudiad.types import Action, Kind


@dataclass(frozen=True, slots=True)
class Phrase:
    """One line of the table."""

    text: str
    actions: tuple[Action, ...]
    kind: Kind
    reply: str
    title: str = ""
    """What is named when it is asked back: 座る for 座って, お座り for お座り."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The table, ready for looking up."""

    all: tuple[Phrase, ...]
    lexicon: Lexicon[Phrase]
    objects: Lexicon[Lexicon[Phrase]]
    """手 of 手を振って → the forms of 振って: what may stand between them is the grammar's business."""
    foreign: Mapping[str, Phrase]
    """By `reading.letters`: English and Chinese, compared as written."""
    keyed: tuple[tuple[str, Form, Phrase], ...]
    """(key, form, phrase) of everything in `lexicon`."""
    words: tuple[Word, ...]
    """Every form of every phrase, for those who want to spell a transcript."""


def load_phrases(paths: Iterable[Path], actions: Mapping[str, int]) -> Phrases:
    """Read phrase tables. `actions`: every registered action's name and API id.

    Raises `DataError` (`file:line: …`) for a wrong number of columns, an unknown action, kind or
    parameter, an empty phrase, and a reading that another line already has with another action.
    """
    table = _Table()
    for path in paths:
        for line, cells in rows(path, 3, 4):
            for text in expand(cells[0]):
                table.add(_phrase([text, *cells[1:]], actions, f"{path}:{line}"), f"{path}:{line}")
    return table.finish()


def _phrase(cells: list[str], actions: Mapping[str, int], where: str) -> Phrase:
    text, call, reply = cells[0], cells[1], cells[-1]
    made = parse_action(call, actions, where)
    kind = cells[2] if len(cells) == 4 else ("action" if made else "dialog")
    if kind not in get_args(Kind) or kind == "none":
        raise DataError(f"{where}: kind {kind!r}; allowed: action, dialog, dialog_with_action")
    if (kind == "dialog") != (not made):
        raise DataError(f"{where}: kind {kind} and action {call!r} do not fit together")
    if not text:
        raise DataError(f"{where}: the phrase is empty")
    return Phrase(text, made, kind, reply)  # type: ignore[arg-type]  # checked against Kind above


def parse_action(call: str, actions: Mapping[str, int], where: str) -> tuple[Action, ...]:
    """`-` → nothing, `move x=-0.3` → one action. Raises `DataError` beginning with `where`.

    The table may write a name as the SDK does (StandUp) where the registry writes stand_up.
    """
    if call == "-":
        return ()
    written, *pairs = call.split()
    name = next((n for n in actions if _plain(n) == _plain(written)), None)
    if name is None:
        raise DataError(f"{where}: unknown action {written!r}")
    params: dict[str, float | int | bool] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise DataError(f"{where}: parameter {pair!r} is not name=value")
        params[key] = _value(text, where)
    return (Action(name, actions[name], params),)


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _value(text: str, where: str) -> float | int | bool:
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = float("inf")
    if not abs(number) <= 1000:  # catches nan as well
        raise DataError(f"{where}: {text!r} is not a finite number, true or false")
    return number


class _Table:
    """Collects lines; a line beats a derived form, two that disagree are a fault."""

    def __init__(self) -> None:
        self._phrases: list[Phrase] = []
        self._own: dict[str, tuple[Form, Phrase]] = {}
        self._derived: list[tuple[Word, Phrase, str]] = []
        self._words: list[Word] = []
        self._foreign: dict[str, Phrase] = {}

    def add(self, phrase: Phrase, where: str) -> None:
        self._phrases.append(phrase)
        if phrase.text.startswith("="):
            key = letters(clean(phrase.text))
            if self._foreign.get(key, phrase).actions != phrase.actions:
                raise DataError(f"{where}: {phrase.text} is already there with another action")
            self._foreign[key] = phrase
            return
        forms = words(phrase.text)
        if not forms:
            raise DataError(f"{where}: {phrase.text!r} has no reading")
        first = forms[0]
        phrase = replace(phrase, title=next((w.surface for w in forms if w.form == "dict"), phrase.text))
        if phrase.kind != "action" and first.form != "te":
            first, forms = Word(phrase.text, first.key, "said"), []
        for same in {first.key, loose(first.key) or first.key}:
            earlier = self._own.get(same)
            if earlier and earlier[1].actions != phrase.actions:
                raise DataError(f"{where}: {phrase.text} sounds like {earlier[1].text}, which has another action")
            self._own.setdefault(same, (first.form, phrase))
        self._words.append(first)
        self._derived += [(word, phrase, where) for word in forms[1:]]

    def finish(self) -> Phrases:
        taken: dict[str, Phrase] = {}
        items: list[tuple[str, Form, Phrase]] = [(key, form, phrase) for key, (form, phrase) in self._own.items()]
        for word, phrase, where in self._derived:
            bare = loose(word.key) or word.key
            own = self._own.get(word.key) or self._own.get(bare)
            if own and own[1].actions != phrase.actions:
                continue
            other = taken.setdefault(bare, phrase)
            if other.actions != phrase.actions:
                raise DataError(f"{where}: {word.surface}, from {phrase.text}, sounds like a form of {other.text}")
            items.append((word.key, word.form, phrase))
            self._words.append(word)
        return Phrases(
            tuple(self._phrases), Lexicon(items), self._objects(), self._foreign, tuple(items), tuple(self._words)
        )

    def _objects(self) -> Lexicon[Lexicon[Phrase]]:
        found: dict[str, list[tuple[str, Form, Phrase]]] = {}
        conjugated = functools.cache(words)
        sound = functools.cache(reading)
        for phrase in self._phrases:
            what, wo, verb = phrase.text.partition("を")
            if wo and what and verb and phrase.actions:
                forms = conjugated(verb)
                if forms and forms[0].form == "te":
                    found.setdefault(sound(what), []).extend((w.key, w.form, phrase) for w in forms)
        return Lexicon((what, "noun", Lexicon(verbs)) for what, verbs in found.items())
