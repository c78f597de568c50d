"""Cut a stream of sample blocks of any length into frames of exactly 20 ms."""

from __future__ import annotations

import numpy as np

from claudiad.types import FRAME_SAMPLES, Pcm


class FrameCutter:
    """Keeps what does not fill a frame until more comes. Pure: no clock, no I/O."""

    def __init__(self) -> None:
        self._rest: Pcm = np.zeros(0, np.int16)

    @property
    def pending(self) -> int:
        """Samples held back, 0 to `FRAME_SAMPLES` - 1."""
        return len(self._rest)

    def push(self, pcm: Pcm) -> list[Pcm]:
        """Every frame that is now complete, each int16 of shape (`FRAME_SAMPLES`,)."""
        joined = np.concatenate([self._rest, pcm]) if len(self._rest) else pcm
        whole = len(joined) - len(joined) % FRAME_SAMPLES
        self._rest = joined[whole:].copy()
        return [joined[at : at + FRAME_SAMPLES] for at in range(0, whole, FRAME_SAMPLES)]

    def flush(self) -> list[Pcm]:
        """The last, unfilled frame padded with zeros; nothing when none is pending."""
        if not len(self._rest):
            return []
        padded = np.zeros(FRAME_SAMPLES, np.int16)
        padded[: len(self._rest)] = self._rest
        self._rest = self._rest[:0]
        return [padded]

    def discard(self) -> None:
        """Forget the unfilled frame: what follows is another stretch of sound."""
        self._rest = self._rest[:0]


def split(pcm: Pcm) -> list[Pcm]:
    """A whole recording as frames, the last one padded with zeros."""
    cutter = FrameCutter()
    return cutter.push(pcm) + cutter.flush()
