"""The filter's tables under `claudiad/data/`, each read once and checked: a fault is a DataError with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TypeVar

from claudiad.errors import DataError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Chinese:
    """What to say instead of Chinese words, and which rare kanji are Japanese after all."""

    words: Mapping[str, str]
    """Written form to Japanese; empty = unspeakable."""
    whole: Mapping[str, str]
    """The same for forms that count only as a whole clause."""
    joins: Mapping[str, str]
    """Connectives: a new clause begins with them."""
    verbs: Mapping[str, tuple[str, ...]]
    """Verbs to their stem, て form, dictionary form and negative stem."""
    allowed: frozenset[str]
    """Kanji outside JIS X 0208 that are Japanese."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Signs and Latin words as they are said."""

    units: Mapping[str, str]
    words: Mapping[str, str]
    """Keys in lower case."""
    signs: Mapping[str, str]
    letters: Mapping[str, str]
    """The names of the letters, lower case."""


def read_rows(name: str, text: str, kinds: Iterable[str], folded: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Parse a table of kind, written form and spoken form, one tab between them.

    Returns one mapping per kind; the written forms of the `folded` kinds are in lower case. Raises `DataError` with
    ``name:line:`` for a row without three columns, an unknown kind, an empty or repeated written form.
    """
    tables: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for number, (kind, written, spoken) in _cells(name, text, 3):
        if kind not in tables:
            raise DataError(f"{name}:{number}: unknown kind {kind!r}, allowed: {', '.join(tables)}")
        if not written:
            raise DataError(f"{name}:{number}: the written form is empty")
        _put(name, number, tables[kind], written.lower() if kind in folded else written, spoken)
    return tables


def _put(name: str, number: int, table: dict[str, _T], written: str, value: _T) -> None:
    if written in table:
        raise DataError(f"{name}:{number}: {written!r} is there already")
    table[written] = value


def _cells(name: str, text: str, wanted: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != wanted:
            raise DataError(f"{name}:{number}: {wanted} columns separated by tabs are needed, not {len(columns)}")
        yield number, columns


def read_leanings(name: str, text: str) -> dict[str, tuple[float, float]]:
    """Parse kanji, log odds as first and as last of a pair, in tenths. Raises `DataError` as `read_rows` does."""
    table: dict[str, tuple[float, float]] = {}
    for number, (kanji, first, last) in _cells(name, text, 3):
        try:
            odds = (int(first) / 10, int(last) / 10)
        except ValueError as fault:
            raise DataError(f"{name}:{number}: log odds are whole numbers, not {first!r} and {last!r}") from fault
        _put(name, number, table, kanji, odds)
    return table


def read_verbs(name: str, text: str) -> dict[str, tuple[str, ...]]:
    """The four forms of each row of the kind `verb`. Raises `DataError` as `read_rows` does, also for more or fewer."""
    verbs: dict[str, tuple[str, ...]] = {}
    for number, (kind, written, said) in _cells(name, text, 3):
        if kind != "verb":
            continue
        forms = tuple(said.split(" "))
        if len(forms) != 4 or not all(forms):
            raise DataError(
                f"{name}:{number}: {written!r}: stem, て form, dictionary form and negative stem are needed"
            )
        _put(name, number, verbs, written, forms)
    return verbs


def read_variants(name: str, text: str) -> dict[str, str]:
    """Parse a character and its Japanese shape. Raises `DataError` as `read_rows` does, also for more than one."""
    table: dict[str, str] = {}
    for number, (written, japanese) in _cells(name, text, 2):
        if len(written) != 1 or len(japanese) != 1:
            raise DataError(f"{name}:{number}: one character on each side, not {written!r} and {japanese!r}")
        _put(name, number, table, written, japanese)
    return table


def read_words(name: str, text: str) -> frozenset[str]:
    """Parse one word per line. Raises `DataError` with ``name:line:`` for a repeated one."""
    words: dict[str, None] = {}
    for number, (word,) in _cells(name, text, 1):
        _put(name, number, words, word, None)
    return frozenset(words)


def shipped(name: str) -> str:
    """The text of a table."""
    return resources.files("claudiad.data").joinpath(name).read_text(encoding="utf-8")


@cache
def chinese() -> Chinese:
    """The shipped table of Chinese words. Raises `DataError` if it is malformed."""
    name = "chinese.tsv"
    text = shipped(name)
    tables = read_rows(name, text, ("word", "whole", "join", "verb", "allow"))
    return Chinese(
        words=MappingProxyType(tables["word"]),
        whole=MappingProxyType(tables["whole"]),
        joins=MappingProxyType(tables["join"]),
        verbs=MappingProxyType(read_verbs(name, text)),
        allowed=frozenset("".join(tables["allow"])),
    )


@cache
def spoken() -> Spoken:
    """The shipped table of signs and Latin words. Raises `DataError` if it is malformed."""
    name = "spoken.tsv"
    kinds = ("unit", "word", "sign", "letter")
    tables = read_rows(name, shipped(name), kinds, folded=("word", "letter"))
    return Spoken(*(MappingProxyType(tables[kind]) for kind in kinds))


@cache
def leanings() -> Mapping[str, tuple[float, float]]:
    """Kanji to the log odds that it begins, and that it ends, a Chinese word rather than a rare Japanese one."""
    return MappingProxyType(read_leanings("kanji.tsv", shipped("kanji.tsv")))


@cache
def vocabulary() -> frozenset[str]:
    """Chinese words that are no Japanese, written in kanji that Japanese has."""
    return read_words("vocabulary.txt", shipped("vocabulary.txt"))


@cache
def rare_words() -> frozenset[str]:
    """Japanese words that the tokeniser's dictionary has not and whose joints look Chinese."""
    return read_words("rare.txt", shipped("rare.txt"))


@cache
def variants() -> Mapping[str, str]:
    """Characters that Japanese has not to the Japanese shape of the same character."""
    return MappingProxyType(read_variants("variants.tsv", shipped("variants.tsv")))
