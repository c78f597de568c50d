"""The gate's two tables, read once and checked: `claudiad/data/chinese.tsv` and `claudiad/data/spoken.tsv`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    allowed: frozenset[str]
    """Kanji outside JIS X 0208 that are Japanese."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Signs and Latin words as they are said."""

    units: Mapping[str, str]
    words: Mapping[str, str]
    """Keys in lower case."""
    signs: Mapping[str, str]


def read_rows(name: str, text: str, kinds: Iterable[str]) -> dict[str, dict[str, str]]:
    """Parse a table of kind, written form and spoken form, one tab between them.

    Returns one mapping per kind. Raises `DataError` with ``name:line:`` for a row without three columns, an unknown
    kind, an empty or repeated written form.
    """
    tables: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            raise DataError(f"{name}:{number}: 3 columns separated by tabs are needed, not {len(columns)}")
        kind, written, spoken = columns
        if kind not in tables:
            raise DataError(f"{name}:{number}: unknown kind {kind!r}, allowed: {', '.join(tables)}")
        if not written:
            raise DataError(f"{name}:{number}: the written form is empty")
        if written in tables[kind]:
            raise DataError(f"{name}:{number}: {written!r} is there already")
        tables[kind][written] = spoken
    return tables


def _shipped(name: str) -> str:
    return resources.files("claudiad.data").joinpath(name).read_text(encoding="utf-8")


@cache
def chinese() -> Chinese:
    """The shipped table of Chinese words. Raises `DataError` if it is malformed."""
    tables = read_rows("chinese.tsv", _shipped("chinese.tsv"), ("word", "whole", "allow"))
    return Chinese(
        MappingProxyType(tables["word"]), MappingProxyType(tables["whole"]), frozenset("".join(tables["allow"]))
    )


@cache
def spoken() -> Spoken:
    """The shipped table of signs and Latin words. Raises `DataError` if it is malformed."""
    tables = read_rows("spoken.tsv", _shipped("spoken.tsv"), ("unit", "word", "sign"))
    words = {written.lower(): said for written, said in tables["word"].items()}
    return Spoken(MappingProxyType(tables["unit"]), MappingProxyType(words), MappingProxyType(tables["sign"]))
