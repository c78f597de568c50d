"""The same line again and again: the first few are shown, the others counted. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class _Window:
    began: float
    shown: int = 0
    hidden: int = 0


class Repeats(Generic[K]):
    """Shows `most` of one kind per `interval_s`. Remembers a bounded number of kinds, the oldest forgotten first."""

    def __init__(self, most: int, interval_s: float, kinds: int = 500) -> None:
        self._most = most
        self._interval_s = interval_s
        self._kinds = kinds
        self._windows: dict[K, _Window] = {}

    def admit(self, kind: K, now: float) -> bool:
        """Whether to show this one. Take what `over` has to say first."""
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= self._kinds:
                del self._windows[next(iter(self._windows))]
            window = self._windows[kind] = _Window(now)
        if window.shown < self._most:
            window.shown += 1
            return True
        window.hidden += 1
        return False

    def over(self, now: float) -> Iterator[tuple[K, int]]:
        """Kinds whose interval is over, with how many of them were not shown (never 0). Each is told once."""
        for kind, window in [(k, w) for k, w in self._windows.items() if now - w.began >= self._interval_s]:
            del self._windows[kind]
            if window.hidden:
                yield kind, window.hidden
