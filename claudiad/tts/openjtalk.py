"""The voice that is always there: Open JTalk, its dictionary and the voice `mei_normal` all come in one wheel."""

from __future__ import annotations

import numpy as np

from claudiad.errors import ClaudiaError, EngineMissing
from claudiad.types import Pcm


class OpenJTalkVoice:
    """Open JTalk through pyopenjtalk-plus, 48 kHz.

    `rate` is the speaking rate, 1 = the voice's own. Constructing it loads dictionary and voice, so that the first
    clause is not the slow one. Raises `EngineMissing` when pyopenjtalk is not installed or does not start.
    """

    name = "openjtalk mei_normal"

    def __init__(self, rate: float) -> None:
        try:
            import pyopenjtalk

            self._engine = pyopenjtalk
            self._rate = rate
            _, self.sample_rate = pyopenjtalk.tts("あ")
        except Exception as fault:
            raise EngineMissing(
                f"Open JTalk does not start ({fault}): install pyopenjtalk-plus, or set tts.engine to piper or none"
            ) from fault

    def synthesise(self, clause: str) -> Pcm:
        """One clause: int16, shape (n,). Raises `ClaudiaError` when Open JTalk cannot read it."""
        try:
            # Samples come as float64 in the range of int16.
            samples, _ = self._engine.tts(clause, speed=self._rate)
        except Exception as fault:
            raise ClaudiaError(f"Open JTalk cannot speak {clause!r}: {fault}") from fault
        if samples.size == 0:
            raise ClaudiaError(f"Open JTalk finds nothing to pronounce in {clause!r}")
        return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
