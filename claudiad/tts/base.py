"""What the mouth needs from an engine and from a loudspeaker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from claudiad.types import Pcm


class Voice(Protocol):
    """A speech synthesiser. One thread uses it at a time."""

    @property
    def name(self) -> str:
        """For people: engine and voice."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz of everything `synthesise` returns."""
        ...

    def synthesise(self, clause: str) -> Pcm:
        """Speak one clause: int16, mono, shape (n,), at `sample_rate`. Blocks. Raises `ClaudiaError` on failure."""
        ...


class Output(Protocol):
    """The part of `claudiad.audio.speaker.Speaker` that the mouth uses."""

    async def play(self, pcm: Pcm, rate: int, on_first_sample: Callable[[float], None] | None = None) -> None:
        """Play `pcm` at `rate` Hz and return when it has sounded or was stopped.

        `on_first_sample` is told, on the event loop, the clock time at which the first block left. A missing device
        is no error: then the call only takes its time.
        """
        ...

    def stop(self) -> None:
        """Be silent; a `play` under way returns early."""
        ...

    def set_gain(self, gain: float) -> None:
        """Multiply what sounds from now on by `gain`, 0 to 1."""
        ...
