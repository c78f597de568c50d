"""A text that is rewritten step by step and still knows where each of its characters came from. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Spans: TypeAlias = Sequence[tuple[int, int]]
Replacement: TypeAlias = str | Callable[[re.Match[str]], str]

MOST_MARKS = 30
"""As in Unicode's Stream-Safe Text Format (UAX #15): to put n marks in order takes the square of n."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something in a text that may not be spoken as it is."""

    start: int
    """Where it begins in the text that was given, in characters."""
    end: int
    kind: str
    """What it is: a key of `claudiad.purity.filter.KINDS`."""
    text: str


class Trace:
    """The text as it was given, and what was found in it so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.findings: set[Finding] = set()

    def note(self, start: int, end: int, kind: str) -> None:
        """Remember a finding; blanks around it are left out, and one of nothing else is none."""
        while start < end and self.source[start].isspace():
            start += 1
        while start < end and self.source[end - 1].isspace():
            end -= 1
        if start < end:
            self.findings.add(Finding(start, end, kind, self.source[start:end]))


class Traced:
    """Immutable: a text, and for each of its characters the part of the source that it stands for."""

    __slots__ = ("spans", "text", "trace")

    def __init__(self, text: str, spans: Spans, trace: Trace) -> None:
        self.text = text
        self.spans = spans
        self.trace = trace

    @classmethod
    def of(cls, source: str) -> Traced:
        """The source itself."""
        return cls(source, [(i, i + 1) for i in range(len(source))], Trace(source))

    def part(self, begin: int, end: int) -> Traced:
        """A slice of it."""
        return Traced(self.text[begin:end], self.spans[begin:end], self.trace)

    def nothing(self) -> Traced:
        """The empty text of the same source."""
        return self.part(0, 0)

    def joined(self, parts: Iterable[Traced]) -> Traced:
        """Texts of the same source, one behind the other."""
        text, spans = "", list[tuple[int, int]]()
        for part in parts:
            text += part.text
            spans += part.spans
        return Traced(text, spans, self.trace)

    def note(self, begin: int, end: int, kind: str) -> None:
        """Remember that these characters are a finding."""
        if begin < end:
            spans = self.spans[begin:end]
            self.trace.note(min(s for s, _ in spans), max(e for _, e in spans), kind)

    def made(self, text: str, begin: int, end: int) -> Traced:
        """A text that stands for these characters."""
        spans = self.spans[begin:end]
        whole = (min(s for s, _ in spans), max(e for _, e in spans)) if spans else (0, 0)
        return Traced(text, [whole] * len(text), self.trace)

    def sub(self, pattern: re.Pattern[str], replacement: Replacement, kind: str | None = None) -> Traced:
        """As `re.sub`; what really changes is noted as `kind`."""
        parts: list[Traced] = []
        done = 0
        for match in pattern.finditer(self.text):
            new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
            begin, end = match.span()
            if new == match[0]:
                continue
            if kind is not None:
                self.note(begin, end, kind)
            parts += (self.part(done, begin), self.made(new, begin, end))
            done = end
        if not parts:
            return self
        return self.joined((*parts, self.part(done, len(self.text))))

    def compatible(self) -> Traced:
        """In Unicode's NFKC form, with no more than `MOST_MARKS` combining marks in a row."""
        safe = self._without_heaps()
        wanted = unicodedata.normalize("NFKC", safe.text)
        if wanted == safe.text:
            return safe
        new = safe.sub(_CLUSTER, lambda m: unicodedata.normalize("NFKC", m[0]))
        # Where a cluster is longer than `_CLUSTER` thinks, the form counts and not the place.
        return new if new.text == wanted else safe.made(wanted, 0, len(safe.text))

    def _without_heaps(self) -> Traced:
        kept, marks = list[int](), 0
        for place, character in enumerate(self.text):
            marks = marks + 1 if unicodedata.combining(character) else 0
            if marks <= MOST_MARKS:
                kept.append(place)
        if len(kept) == len(self.text):
            return self
        return Traced("".join(self.text[i] for i in kept), [self.spans[i] for i in kept], self.trace)


_CLUSTER = re.compile(
    r".[\u0300-\u036f\u0591-\u06ff\u0900-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\uff9e\uff9f]*", re.DOTALL
)


def any_of(written: Iterable[str]) -> str:
    """A pattern for any of these texts, the longest first."""
    return "|".join(map(re.escape, sorted(written, key=len, reverse=True)))
