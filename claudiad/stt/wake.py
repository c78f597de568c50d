"""The name that opens an ear, and how long it stays open. Pure: readings and times in, yes or no out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product


class WakeGate:
    """Admits utterances that begin with a name, and, for a while after an answer, all of them.

    Everything is compared by reading key (`claudiad.brain.reading`), so クラウディア, くらうでぃあ and what the
    recogniser writes are one. A stop is never asked for its name: the caller lets it pass first.
    """

    def __init__(self, names: Sequence[str], fillers: Sequence[str], follow_up_ms: int, *, enabled: bool) -> None:
        """Args: `names` and `fillers` as reading keys; empty ones are ignored."""
        names = [n for n in names if n]
        # A filler may come first, also twice (ねえねえ), never anything else.
        self._openers = tuple(n for n in names) + tuple(f + n for f, n in product([f for f in fillers if f], names))
        self._follow_up_s = follow_up_ms / 1000.0
        self._enabled = enabled
        self._open_until = float("-inf")

    def admit(self, key: str, now: float) -> bool:
        """Whether an utterance with this reading is meant for the robot at clock time `now` (seconds)."""
        return not self._enabled or now <= self._open_until or key.startswith(self._openers)

    def answered(self, now: float) -> None:
        """An answer was given: the ear stays open for the follow-up window."""
        self._open_until = now + self._follow_up_s
