"""What every way to be heard looks like to the rest of the program, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from claudiad.audio.reference import PlaybackReference
from claudiad.types import Pcm

OnFirstSample = Callable[[float], None]
"""Told, on the event loop, the clock time at which the first block left."""


class Speaker(Protocol):
    """Plays one thing after the other."""

    @property
    def playing(self) -> bool:
        """Something may be audible now."""
        ...

    @property
    def latency_s(self) -> float:
        """From a block's leaving to its sound, as the device reports it; 0 when there is none."""
        ...

    @property
    def reference(self) -> PlaybackReference:
        """What really sounds, when, after the gain: for an echo canceller."""
        ...

    def set_gain(self, gain: float) -> None:
        """Lower or raise what sounds from the next block on, and what comes after it; 1 at first.

        Changes over a few milliseconds, without a click. From the loop's thread. Raises ValueError unless 0 to 1.
        """
        ...

    async def open(self) -> None:
        """Get ready, so that the first `play` need not; never raises for a device."""
        ...

    async def play(self, pcm: Pcm, rate: int, on_first_sample: OnFirstSample | None = None) -> None:
        """Play mono int16 samples at `rate` Hz; returns when the last one has been handed over.

        A second call waits for the first. Cancelling, or `stop`, silences within 100 ms. A device that is
        missing or goes away is no error: the call takes the time the sound would have taken.
        """
        ...

    def stop(self) -> None:
        """Be silent: `play` returns early, and so do those that wait behind it. From any thread."""
        ...

    async def close(self) -> None:
        """Stop, and release the device."""
        ...


class Turn:
    """One call of `play` that has the speaker to itself."""

    def __init__(self, gate: PlayGate, generation: int) -> None:
        self._gate = gate
        self._generation = generation
        self.loop = asyncio.get_running_loop()
        self.wake = asyncio.Event()

    @property
    def stopped(self) -> bool:
        """`stop` was called after this `play`."""
        return self._gate.generation != self._generation

    def notify(self) -> None:
        """Set `wake` from any thread."""
        try:
            self.loop.call_soon_threadsafe(self.wake.set)
        except RuntimeError:
            return  # the loop has closed: nobody plays any more


class PlayGate:
    """One `play` at a time; `stop` ends the present one and those waiting."""

    def __init__(self) -> None:
        self.generation = 0
        self._lock = asyncio.Lock()
        self._turn: Turn | None = None

    @property
    def turn(self) -> Turn | None:
        """Who plays now."""
        return self._turn

    def stop(self) -> None:
        """From any thread."""
        self.generation += 1
        turn = self._turn
        if turn is not None:
            turn.notify()

    @asynccontextmanager
    async def enter(self) -> AsyncGenerator[Turn, None]:
        """Wait for those before; what `stop`ped in the meantime finds `Turn.stopped` true."""
        generation = self.generation
        async with self._lock:
            self._turn = Turn(self, generation)
            try:
                yield self._turn
            finally:
                self._turn = None
