"""Keys → what they stand for, found whole or from a position on; cost does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from claudiad.brain.conjugate import Form
from claudiad.brain.kana import LOOSE_MIN, lengthens, shorten, unstretched

T = TypeVar("T")


class Lexicon(Generic[T]):
    """An immutable multimap from key to (form, value).

    A key is found exactly; else without a lengthening at its end (とまれー); else, from four kana on,
    whatever the length of its vowels, because that is what recognisers lose first (`kana.loose`).
    """

    def __init__(self, items: Iterable[tuple[str, Form, T]]) -> None:
        self._entries: dict[str, list[tuple[str, Form, T]]] = {}
        self._prefixes: set[str] = set()
        for key, form, what in items:
            bare = shorten(key)
            self._entries.setdefault(bare, []).append((key, form, what))
            for n in range(len(bare), 0, -1):
                if bare[:n] in self._prefixes:
                    break  # and so are all shorter ones
                self._prefixes.add(bare[:n])

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: str) -> list[tuple[Form, T]]:
        """Everything the whole key stands for; empty when it is unknown."""
        return self._choose(key, shorten(key))

    def at(self, key: str, start: int) -> Iterator[tuple[int, Form, T]]:
        """(end, form, value) for every entry that begins at `start`, longest first."""
        bare = ""
        ends: list[tuple[int, str]] = []
        for i in range(start, len(key)):
            if not lengthens(bare, key[i]):
                bare += key[i]
                if bare not in self._prefixes:
                    break
            if bare in self._entries:
                ends.append((i + 1, bare))
        for end, short in reversed(ends):
            for form, what in self._choose(key[start:end], short):
                yield end, form, what

    def _choose(self, key: str, bare: str) -> list[tuple[Form, T]]:
        entries = self._entries.get(bare)
        if not entries:
            return []
        plain = unstretched(key)
        for wanted in (key, plain):
            if exact := [(form, what) for known, form, what in entries if known == wanted]:
                return exact
        return [(form, what) for _, form, what in entries] if len(bare) >= LOOSE_MIN else []
