"""One opening of a capture device: from its thread's blocks to the loop's 20 ms pieces."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator

from claudiad.audio.frames import FrameCutter
from claudiad.audio.host import Opened
from claudiad.audio.resample import StreamConverter
from claudiad.audio.ring import Ring
from claudiad.clock import Clock
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Pcm

FIRST_BLOCK_S = 5.0
"""How long a device may take to deliver for the first time: a PulseAudio monitor took 0.4 to 1.8 s (measured)."""
AT_EASE_S = 0.1
"""Sound taken at a time while nobody speaks: to be woken costs more than a frame does. Well below the 250 ms of
speech after which the stop listener begins."""


class Capture:
    """Made before the device is opened, told its format by `begin`, over when the device falls silent."""

    def __init__(self, clock: Clock, stale_s: float, *, closely: bool = True) -> None:
        """Args: `stale_s` without a block means that the device is gone; `closely`: see `attend`."""
        self._clock = clock
        self._stale_s = stale_s
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._ring: Ring | None = None
        self._last_block = clock.now()
        self._began = math.inf
        """When the first sample was captured, by the most punctual block since they were last taken."""
        self._reason: str | None = None
        self._closely = closely
        self._enough = 0
        self.delivered = False
        """At least one block has come."""

    @property
    def reason(self) -> str:
        """Why it is over."""
        return self._reason or ""

    @property
    def overflow_samples(self) -> int:
        """Samples per channel that came while the ring was full."""
        return 0 if self._ring is None else self._ring.refused // self._channels

    def begin(self, opened: Opened, ring_ms: int) -> None:
        """The device's format; blocks before this are ignored."""
        self._channels = opened.channels
        self._rate = opened.rate
        self._ring = Ring(opened.rate * ring_ms // 1000 * opened.channels)
        # A ring that small would be full before anybody woke.
        self._enough = min(round(opened.rate * AT_EASE_S) * opened.channels, self._ring.capacity // 2)

    def attend(self, *, closely: bool) -> None:
        """Deliver every block as it comes, or `AT_EASE_S` at a time; frames and times are the same."""
        self._closely = closely
        if closely:
            self._wake.set()

    def on_block(self, block: Pcm) -> None:
        """The device's thread: copy and wake."""
        if self._ring is not None:
            self._ring.write(block)
            self._last_block = now = self._clock.now()
            self._began = min(self._began, now - self._ring.written / (self._channels * self._rate))
            if self._closely or len(self._ring) >= self._enough:
                self._notify()

    def on_end(self) -> None:
        """The device's thread: it has gone."""
        self._reason = "the sound system ended the stream"
        self._notify()

    async def pieces(self) -> AsyncGenerator[tuple[Pcm, float], None]:
        """20 ms at 16 kHz with the clock time of their last sample, until the device is gone."""
        ring = self._ring
        assert ring is not None, "pieces() before begin()"  # noqa: S101 - an order within this package
        converter, cutter, sent, began = StreamConverter(self._rate), FrameCutter(), 0, self._last_block
        watcher = asyncio.create_task(self._watch())
        try:
            while True:
                await self._wake.wait()  # ends by: a block, the end of the stream, the watcher
                self._wake.clear()
                block = ring.read()
                if self._began < math.inf:
                    began, self._began = self._began, math.inf
                self.delivered = self.delivered or len(block) > 0
                for pcm in cutter.push(converter.push(block.reshape(-1, self._channels))):
                    sent += FRAME_SAMPLES
                    yield pcm, min(self._last_block, began + sent / SAMPLE_RATE)
                if self._reason is not None:
                    return
        finally:
            watcher.cancel()

    async def _watch(self) -> None:
        """PortAudio reports no unplugging: only the age of the last block tells."""
        while self._reason is None:
            allowed = self._stale_s if self.delivered else max(self._stale_s, FIRST_BLOCK_S)
            await self._clock.sleep(self._stale_s / 4)
            if self._clock.now() - self._last_block > allowed:
                self._reason = f"no audio for {allowed:g} s"
                self._wake.set()

    def _notify(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            return  # the loop has closed: nobody listens any more
