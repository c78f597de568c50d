"""A volume that can be changed while something sounds, without a click. Pure."""

from __future__ import annotations

import numpy as np

from claudiad.types import Pcm

RAMP_S = 0.005
"""Full scale to silence in this time: shorter is a click, longer is not needed."""


class Gain:
    """Multiplies blocks; `target` may be set from another thread than the one that applies it."""

    def __init__(self, rate: float) -> None:
        """Args: `rate` in Hz, of the samples that will be given."""
        self._step = 1.0 / (RAMP_S * rate)
        self._now = 1.0
        self.target = 1.0
        """0 to 1; reached `RAMP_S` into the next block at the latest."""

    def apply(self, pcm: Pcm) -> Pcm:
        """The block with the gain that each of its samples has; the block itself when that is 1."""
        target, before = self.target, self._now
        if before == target == 1.0:
            return pcm
        way = self._step * np.arange(1, len(pcm) + 1, dtype=np.float32)
        gains = np.minimum(before + way, target) if target > before else np.maximum(before - way, target)
        self._now = float(gains[-1]) if len(gains) else before
        scaled: Pcm = np.rint(pcm * gains).astype(np.int16)
        return scaled


def checked(gain: float) -> float:
    """A gain that a speaker may be given.

    Raises:
        ValueError: it is not within 0 to 1.
    """
    if not 0.0 <= gain <= 1.0:
        raise ValueError(f"a gain of {gain}; 0 to 1 is meant")
    return gain
