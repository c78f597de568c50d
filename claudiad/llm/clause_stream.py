"""Clauses of a reply that is still being written, each as soon as it is certain. Pure."""

from __future__ import annotations

import re

from claudiad.tts.clauses import MIN_COMMA_CHARACTERS

_END = re.compile(r"[。！？!?\n]+")
# A comma between digits is part of a number: the character behind it has to be known.
_COMMA = re.compile(
    r"(?<![0-9０-９〇一二三四五六七八九十百千])[、，](?=.)|[、，](?=[^0-9０-９〇一二三四五六七八九十百千])"
)


FIRST_COMMA_CHARACTERS = 5
"""A comma ends the first clause from here on: the sooner it leaves, the sooner the voice begins."""


class ClauseStream:
    """Cuts text that grows; joined together the clauses hold all of it."""

    def __init__(self) -> None:
        self._rest = ""
        self._shortest = FIRST_COMMA_CHARACTERS

    def push(self, text: str) -> list[str]:
        """What is certain to be a clause now, in order."""
        self._rest += text
        found = []
        while cut := self._cut():
            found.append(self._rest[:cut])
            self._rest = self._rest[cut:]
            self._shortest = MIN_COMMA_CHARACTERS
        return found

    def flush(self) -> list[str]:
        """What is left when no more comes."""
        rest, self._rest = self._rest, ""
        return [rest] if rest.strip() else []

    def _cut(self) -> int:
        """Where the next clause ends, or 0."""
        end = _END.search(self._rest)
        comma = _COMMA.search(self._rest, self._shortest)
        found = [match.end() for match in (end, comma) if match]
        return min(found, default=0)
