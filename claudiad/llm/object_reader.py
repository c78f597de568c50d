"""One JSON object, read character by character: each member as it closes, each text as it grows. Pure.

A parser of cut-off JSON (jiter's partial mode) cannot take this place: it gives `[1016]` for `[1016`, for `[1016]` and
for `[1016}`, and `10` for the beginning of `1016`, and whether a list of actions is closed is what matters here. Values
that have closed go to the standard library's parser; only texts are decoded here, because they are needed while open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

MAX_DEPTH = 16
"""Brackets inside one another; deeper is no answer."""

_WHITE = " \t\r\n"
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX = frozenset("0123456789abcdefABCDEF")
_PARTNER = {"]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Grown:
    """Text behind a key has become longer."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A member is complete."""

    key: str
    value: Any


class _Text:
    """The inside of a JSON string, decoded as it comes; half a surrogate pair is left out, never passed on."""

    def __init__(self) -> None:
        self.closed = False
        self.broken = False
        self._escape = ""
        self._high = 0

    def feed(self, char: str) -> str:
        """What is decoded now, often nothing."""
        if not self._escape and char != "\\":
            self._high = 0
            if char == '"':
                self.closed = True
                return ""
            return char
        self._escape += char
        if len(self._escape) == 1:
            return ""
        if self._escape[1] != "u":
            self._escape, self._high = "", 0
            self.broken = char not in _ESCAPES
            return _ESCAPES.get(char, "")
        if len(self._escape) < 6:  # a backslash, u, and four digits
            return ""
        digits, self._escape = self._escape[2:], ""
        self.broken = not _HEX.issuperset(digits)
        return "" if self.broken else self._unit(int(digits, 16))

    def _unit(self, code: int) -> str:
        high, self._high = self._high, 0
        if 0xD800 <= code < 0xDC00:
            self._high = code
            return ""
        if 0xDC00 <= code < 0xE000:
            return chr(0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)) if high else ""
        return chr(code)


class _At(Enum):
    """What the next character belongs to."""

    FIRST = auto()
    """A key, or the end of an empty object."""
    KEY = auto()
    IN_KEY = auto()
    COLON = auto()
    VALUE = auto()
    IN_TEXT = auto()
    IN_BRACKETS = auto()
    IN_WORD = auto()
    """A number, `true`, `false` or `null`."""
    NEXT = auto()
    END = auto()


class ObjectReader:
    """Reads what follows an opening brace. Linear in what it is fed.

    Allowed beyond JSON: a comma before a closing bracket, control characters in texts, `NaN` and `Infinity`. `Closed`
    comes once per member in their order, repeated keys included.
    """

    def __init__(self) -> None:
        self.broken = False
        """It is no JSON; nothing more is read."""
        self._at = _At.FIRST
        self._key = ""
        self._text = _Text()
        self._decoded: list[str] = []
        self._raw: list[str] = []
        self._open: list[str] = []
        self._comma = -1

    @property
    def closed(self) -> bool:
        """The object is complete; nothing more is read."""
        return self._at is _At.END

    def feed(self, char: str) -> Grown | Closed | None:
        """Read one character."""
        if self.broken or self.closed:
            return None
        if self._at in (_At.IN_KEY, _At.IN_TEXT):
            return self._in_text(char)
        if self._at is _At.IN_BRACKETS:
            return self._in_brackets(char)
        if self._at is _At.IN_WORD:
            return self._in_word(char)
        if char not in _WHITE:
            self._between(char)
        return None

    def _between(self, char: str) -> None:
        at = self._at
        if at in (_At.FIRST, _At.KEY, _At.NEXT) and char == "}":
            self._at = _At.END
        elif at in (_At.FIRST, _At.KEY) and char == '"':
            self._begin(_At.IN_KEY)
        elif at is _At.COLON and char == ":":
            self._at = _At.VALUE
        elif at is _At.NEXT and char == ",":
            self._at = _At.KEY
        elif at is _At.VALUE and char == '"':
            self._begin(_At.IN_TEXT)
        elif at is _At.VALUE and char in "[{":
            self._begin(_At.IN_BRACKETS)
            self._raw, self._open, self._comma = [char], [char], -1
            self._text.closed = True
        elif at is _At.VALUE and (char.isalnum() or char == "-"):
            self._begin(_At.IN_WORD)
            self._raw = [char]
        else:
            self.broken = True

    def _begin(self, where: _At) -> None:
        self._at = where
        self._text = _Text()
        self._decoded = []

    def _in_text(self, char: str) -> Grown | Closed | None:
        more = self._text.feed(char)
        self.broken = self._text.broken
        self._decoded.append(more)
        if self._text.closed:
            whole = "".join(self._decoded)
            if self._at is _At.IN_KEY:
                self._key, self._at = whole, _At.COLON
                return None
            self._at = _At.NEXT
            return Closed(self._key, whole)
        return Grown(self._key, more) if more and self._at is _At.IN_TEXT else None

    def _in_brackets(self, char: str) -> Closed | None:
        if not self._text.closed:
            self._text.feed(char)
            self.broken = self._text.broken
        elif char == '"':
            self._text = _Text()
        elif char in "[{":
            self._open.append(char)
            self.broken = len(self._open) > MAX_DEPTH
        elif char in "]}":
            self.broken = self._open.pop() != _PARTNER[char]
            if self._comma >= 0:
                del self._raw[self._comma]
        if self._text.closed and char not in _WHITE:
            self._comma = len(self._raw) if char == "," else -1
        self._raw.append(char)
        return None if self._open or self.broken else self._close()

    def _in_word(self, char: str) -> Closed | None:
        if char not in ",}" and char not in _WHITE:
            self._raw.append(char)
            return None
        closed = self._close()
        if not self.broken and char not in _WHITE:
            self._between(char)
        return closed

    def _close(self) -> Closed | None:
        self._at = _At.NEXT
        try:
            return Closed(self._key, json.loads("".join(self._raw), strict=False))
        except ValueError:  # also a number of more digits than Python reads
            self.broken = True
            return None
