"""What a recogniser is."""

from __future__ import annotations

from typing import Protocol

from claudiad.types import Pcm, Transcript


class Recogniser(Protocol):
    """Speech in, text out; blocking, one call at a time (give it a worker thread of its own)."""

    @property
    def name(self) -> str:
        """Model name for people and logs."""
        ...

    def recognise(self, pcm: Pcm) -> Transcript:
        """Recognise one utterance: int16 mono at 16 kHz, any length over 0.1 s.

        Silence, hallucination and unknown words come back with `dropped` set, never as an exception.
        """
        ...
