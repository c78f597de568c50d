"""When frame k of a virtual stream is due: counted from the start, so that lateness never adds up."""

from __future__ import annotations

import asyncio

from claudiad.audio.microphone import Pace
from claudiad.clock import Clock
from claudiad.types import SAMPLE_RATE


class Pacer:
    """Waits until the clock has reached a sample of the stream."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self._pace = pace
        self.start = clock.now()

    def due(self, sample: int) -> float:
        """Clock time at which everything before `sample` has sounded."""
        return self.start + sample / SAMPLE_RATE

    async def reach(self, sample: int) -> float:
        """Wait for it; returns the time to write down: the due time in `real` pace, now in `fast`."""
        if self._pace == "fast":
            await asyncio.sleep(0)
            return self._clock.now()
        wait = self.due(sample) - self._clock.now()
        if wait > 0:
            await self._clock.sleep(wait)
        else:
            await asyncio.sleep(0)
        return self.due(sample)
