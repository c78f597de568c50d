"""A voice and a speaker that a test drives by hand, and that refuse to be used wrongly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import numpy as np

from claudiad.clock import JumpClock
from claudiad.errors import ClaudiaError
from claudiad.types import Pcm

RATE = 8000


def code(clause: str) -> Pcm:
    """Samples that tell which clause they are."""
    return np.array([ord(character) % 32768 for character in clause], np.int16)


class FakeVoice:
    """Speaks at once, unless the clause is held or broken. Complains when two threads use it together."""

    name = "fake"
    sample_rate = RATE

    def __init__(self, broken: tuple[str, ...] = (), held: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self.finished: list[str] = []
        self.started = {clause: threading.Event() for clause in held}
        self.release = {clause: threading.Event() for clause in held}
        self._broken = broken
        self._busy = threading.Lock()

    def synthesise(self, clause: str) -> Pcm:
        if not self._busy.acquire(blocking=False):
            raise AssertionError("two threads in one voice")
        try:
            self.asked.append(clause)
            if clause in self.release:
                self.started[clause].set()
                assert self.release[clause].wait(5), f"nobody released {clause!r}"
            if clause in self._broken:
                raise ClaudiaError("broken")
            self.finished.append(clause)
            return code(clause)
        finally:
            self._busy.release()


class FakeSpeaker:
    """Holds each sound until the test lets it end; refuses two sounds at once."""

    def __init__(self, clock: JumpClock, *, instant: bool = False) -> None:
        self.played: list[str] = []
        self.sounding: str | None = None
        self.begun = asyncio.Event()
        self.stops = 0
        self.gains: list[float] = []
        self._clock = clock
        self._instant = instant
        self._over: asyncio.Event | None = None

    async def play(self, pcm: Pcm, rate: int, on_first_sample: Callable[[float], None] | None = None) -> None:
        assert self.sounding is None, "two sounds at once"
        assert rate == RATE
        assert pcm.size, "a sound without samples"
        self.sounding = "".join(map(chr, pcm))
        self.played.append(self.sounding)
        self._over = asyncio.Event()
        if on_first_sample is not None:
            on_first_sample(self._clock.now())
        self.begun.set()
        try:
            if not self._instant:
                await self._over.wait()
        finally:
            self.sounding = None

    def stop(self) -> None:
        self.stops += 1
        self.end()

    def set_gain(self, gain: float) -> None:
        self.gains.append(gain)

    def end(self) -> None:
        """The sound is over."""
        self.begun.clear()
        if self._over is not None:
            self._over.set()
