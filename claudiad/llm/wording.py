"""What is said while a model thinks: one place for the fillers. They can be spoken to WAV once and kept."""

from __future__ import annotations

from collections.abc import Sequence

THINKING = (
    "えっと、そうですね。",
    "うーん、少し考えますね。",
    "ちょっと考えてみますね。",
    "そうですね、ええと。",
)
"""Instead of silence, when a first token is late."""


class Rotation:
    """One text after another, none twice in a row, all equally often. Not for several threads."""

    def __init__(self, texts: Sequence[str], first: int = 0) -> None:
        """`first`: where to begin, so that not every start of the program begins alike. Raises ValueError if empty."""
        if not texts:
            raise ValueError("there is nothing to say")
        self._texts = tuple(texts)
        self._next = first % len(self._texts)

    def take(self) -> str:
        """The next one."""
        text = self._texts[self._next]
        self._next = (self._next + 1) % len(self._texts)
        return text
