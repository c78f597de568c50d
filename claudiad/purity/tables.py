"""The filter's tables under `claudiad/data/`, each read once and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from claudiad.errors import DataError


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


def read_rows(name: str, text: str, kinds: Iterable[str]) -> dict[str, dict[str, str]]:
    """Parse a table of kind, written form and spoken form, one tab between them.

    Returns one mapping per kind. Raises `DataError` with ``name:line:`` for a row without three columns, an unknown
    kind, an empty or repeated written form.
    """
    tables: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for number, (kind, written, spoken) in _cells(name, text, 3):
        if kind not in tables:
            raise DataError(f"{name}:{number}: unknown kind {kind!r}, allowed: {', '.join(tables)}")
        if not written:
            raise DataError(f"{name}:{number}: the written form is empty")
        if written in tables[kind]:
            raise DataError(f"{name}:{number}: {written!r} is there already")
        tables[kind][written] = spoken
    return tables


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
            table[kanji] = (int(first) / 10, int(last) / 10)
        except ValueError as fault:
            raise DataError(f"{name}:{number}: log odds are whole numbers, not {first!r} and {last!r}") from fault
    return table


def read_verbs(name: str, rows: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The four forms of each verb. Raises `DataError` for another number of them."""
    verbs = {written: tuple(forms.split(" ")) for written, forms in rows.items()}
    for written, forms in verbs.items():
        if len(forms) != 4:
            raise DataError(f"{name}: {written!r}: stem, て form, dictionary form and negative stem are needed")
    return verbs


def _shipped(name: str) -> str:
    return resources.files("claudiad.data").joinpath(name).read_text(encoding="utf-8")


@cache
def chinese() -> Chinese:
    """The shipped table of Chinese words. Raises `DataError` if it is malformed."""
    name = "chinese.tsv"
    tables = read_rows(name, _shipped(name), ("word", "whole", "join", "verb", "allow"))
    return Chinese(
        words=MappingProxyType(tables["word"]),
        whole=MappingProxyType(tables["whole"]),
        joins=MappingProxyType(tables["join"]),
        verbs=MappingProxyType(read_verbs(name, tables["verb"])),
        allowed=frozenset("".join(tables["allow"])),
    )


@cache
def spoken() -> Spoken:
    """The shipped table of signs and Latin words. Raises `DataError` if it is malformed."""
    tables = read_rows("spoken.tsv", _shipped("spoken.tsv"), ("unit", "word", "sign", "letter"))
    words = {written.lower(): said for written, said in tables["word"].items()}
    letters = {written.lower(): said for written, said in tables["letter"].items()}
    return Spoken(
        MappingProxyType(tables["unit"]), MappingProxyType(words), MappingProxyType(tables["sign"]),
        MappingProxyType(letters),
    )  # fmt: skip


@cache
def leanings() -> Mapping[str, tuple[float, float]]:
    """Kanji to the log odds that it begins, and that it ends, a Chinese word rather than a rare Japanese one."""
    return MappingProxyType(read_leanings("kanji.tsv", _shipped("kanji.tsv")))


@cache
def vocabulary() -> frozenset[str]:
    """Chinese words that are no Japanese, written in kanji that Japanese has."""
    return _words("vocabulary.txt")


@cache
def rare_words() -> frozenset[str]:
    """Japanese words that the tokeniser's dictionary has not and whose joints look Chinese."""
    return _words("rare.txt")


def _words(name: str) -> frozenset[str]:
    return frozenset(line for line in _shipped(name).splitlines() if line and not line.startswith("#"))


@cache
def variants() -> Mapping[str, str]:
    """Characters that Japanese has not to the Japanese shape of the same character."""
    return MappingProxyType({written: japanese for _, (written, japanese) in _variant_rows()})


def _variant_rows() -> Iterator[tuple[int, list[str]]]:
    return _cells("variants.tsv", _shipped("variants.tsv"), 2)
