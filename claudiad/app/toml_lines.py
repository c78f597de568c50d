"""Where each key of a TOML document stands: tomllib gives values, people need lines.

The document is judged by tomllib alone. This scanner walks the same grammar (TOML 1.0) loosely: it never
raises, always moves forward, and on a document tomllib accepts it finds every key tomllib finds.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=")
# A multi-line string may end in up to two quotes of its own: `\"""""` is one quote and the end.
_SCALAR = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^,\[\]{}\n#"']+''', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key or a `[section]` that stands a second time; lines count from 1."""

    path: KeyPath
    first_line: int
    line: int


@dataclass(frozen=True, slots=True)
class KeyLines:
    """The line of each key, table and dotted prefix (the first time it appears), counted from 1."""

    lines: Mapping[KeyPath, int]
    duplicates: tuple[Duplicate, ...]

    def line(self, path: KeyPath) -> int | None:
        """Line of `path`, or of the nearest table around it, or None."""
        for length in range(len(path), 0, -1):
            if (found := self.lines.get(path[:length])) is not None:
                return found
        return None


def key_lines(text: str) -> KeyLines:
    """Find the line of every key in `text`. Never raises: what it cannot read it steps over."""
    return _Scanner(text).scan()


def _plain(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        try:
            return str(tomllib.loads(f"key = {part}")["key"])
        except ValueError:
            return part[1:-1]
    return part


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._given: set[KeyPath] = set()
        self._duplicates: list[Duplicate] = []

    def scan(self) -> KeyLines:
        section: KeyPath = ()
        while self._skip(_BLANK) < len(self._text):
            before = self._pos
            if self._text[self._pos] == "[":
                section = self._header()
            else:
                path = self._key(section)
                if path is not None and self._take(_EQUALS):
                    self._value(path)
            if self._pos == before:
                self._to_line_end()
        return KeyLines(self._lines, tuple(self._duplicates))

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`; only the plain form may not stand twice."""
        many = self._text.startswith("[[", self._pos)
        self._pos += 2 if many else 1
        self._skip(_SPACE)
        path = self._key((), table=True, repeats=many)
        self._to_line_end()
        return path or ()

    def _key(self, prefix: KeyPath, *, table: bool = False, repeats: bool = False) -> KeyPath | None:
        line = bisect_left(self._newlines, self._pos) + 1
        path = prefix
        while match := _KEY_PART.match(self._text, self._pos):
            self._pos = match.end()
            path = (*path, _plain(match.group()))
            if not self._take(_DOT):
                break
        if path == prefix:
            return None
        if repeats:
            # Each `[[x]]` is a new table: what stands below it may be there again.
            self._given = {given for given in self._given if given[: len(path)] != path}
        elif path in self._given:
            self._duplicates.append(Duplicate(path, self._lines[path], line))
        else:
            self._given.add(path)
        for length in range(len(prefix) + 1 if not table else 1, len(path) + 1):
            self._lines.setdefault(path[:length], line)
        return path

    def _value(self, path: KeyPath) -> None:
        """Step over one value; keys of inline tables are noted. Without recursion: nesting has no limit."""
        around: list[tuple[str, KeyPath]] = []
        key_next = False
        while self._skip(_BLANK) < len(self._text):
            char = self._text[self._pos]
            if char in "[{":
                around.append((char, path))
                self._pos += 1
                key_next = char == "{"
                continue
            if char in "]}," and around:
                self._pos += 1
                if char == ",":
                    bracket, path = around[-1]
                    key_next = bracket == "{"
                    continue
                around.pop()
            elif key_next:
                # Several tables in one array share a path, as with [[x]].
                found = self._key(path, repeats=any(bracket == "[" for bracket, _ in around))
                if found is None or not self._take(_EQUALS):
                    self._to_line_end()
                    return
                path, key_next = found, False
                continue
            elif not self._take(_SCALAR):
                self._to_line_end()
                return
            if not around:
                return

    def _take(self, pattern: re.Pattern[str]) -> bool:
        if match := pattern.match(self._text, self._pos):
            self._pos = match.end()
            return True
        return False

    def _skip(self, pattern: re.Pattern[str]) -> int:
        self._take(pattern)
        return self._pos

    def _to_line_end(self) -> None:
        index = bisect_left(self._newlines, self._pos)
        self._pos = self._newlines[index] + 1 if index < len(self._newlines) else len(self._text)
