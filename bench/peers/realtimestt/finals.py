"""Which final transcript belongs to which utterance: late ones, cut ones, lost ones. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from bench.peers.realtimestt.stream import Said
from claudiad.types import SAMPLE_RATE

EARLIEST_S = 0.3
"""Nobody has a final transcript so soon after an utterance began: what comes by then is of the one before."""


@dataclass(frozen=True, slots=True)
class Final:
    """A transcript a system calls final."""

    at_s: float
    """When it was there, in seconds of the stream."""
    text: str
    joined: bool = False
    """It goes on with the turn of the one before: more was said right behind words that were already final."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a system made of one utterance."""

    said: Said
    finals: tuple[Final, ...]
    """In the order they came; those without text are left out."""

    @property
    def missed(self) -> bool:
        """Nothing came of it."""
        return not self.finals

    @property
    def cut(self) -> bool:
        """It came in more than one piece, and nothing put them together; or the last piece never came."""
        pieces = sum(not final.joined for final in self.finals)
        return pieces > 1 or (pieces == 1 and self.latency_ms is None)

    @property
    def joined(self) -> bool:
        """Its first words were final before it ended, and the rest was put to them."""
        return any(final.joined for final in self.finals)

    @property
    def latency_ms(self) -> float | None:
        """From the true end of the voice to the last transcript; None when that was not behind it, or never came."""
        if not self.finals:
            return None
        late = self.finals[-1].at_s - self.said.voice_end / SAMPLE_RATE
        return late * 1000.0 if late > 0 else None


def assign(said: Sequence[Said], finals: Sequence[Final]) -> tuple[tuple[Heard, ...], tuple[Final, ...]]:
    """What came of each utterance, in order; and what came of none, because nothing had been said yet.

    An utterance owns what comes from `EARLIEST_S` after its beginning until the same time after the next one's.
    """
    begins = [one.start / SAMPLE_RATE + EARLIEST_S for one in said]
    owned: list[list[Final]] = [[] for _ in said]
    strays: list[Final] = []
    for final in sorted(finals, key=lambda f: f.at_s):
        if not final.text.strip():
            continue
        number = bisect_right(begins, final.at_s) - 1
        (owned[number] if number >= 0 else strays).append(final)
    return tuple(Heard(one, tuple(got)) for one, got in zip(said, owned, strict=True)), tuple(strays)
