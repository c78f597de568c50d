"""One microphone for one conversation after another: a reload exchanges the conversation and loses no sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Self

from claudiad.audio.microphone import CaptureStats, LiveMicrophone
from claudiad.types import FRAME_MS, Frame

FRAMES_S = 10.0
"""Longest time without a frame while the microphone is open, beside what the settings allow it: its first block may
take 5 s and closing it another 5 (audio/capture.py, audio/portaudio.py)."""
WAITING_MS = 2000
"""Sound kept between two conversations; what is longer waits in the microphone's own ring."""


class HandedOver:
    """A microphone that stays open while its listeners change.

    Each listener's frames begin at sample 0, as the contract of `Microphone` wants it. Everything belongs to the
    event loop. Use it as a context manager: leaving closes the device.
    """

    def __init__(self, microphone: LiveMicrophone) -> None:
        self._microphone = microphone
        self._waiting: asyncio.Queue[Frame | None] = asyncio.Queue(WAITING_MS // FRAME_MS)
        self._pump: asyncio.Task[None] | None = None
        self._fault: Exception | None = None
        self.taken = 0
        """Frames that a listener has taken since the start."""

    @property
    def stats(self) -> CaptureStats:
        return self._microphone.stats

    @property
    def progress(self) -> int | None:
        """A number that changes as long as sound is taken or the device is tried again; None before the first try."""
        stats = self.stats
        return self.taken if stats.state == "open" else -stats.attempts if stats.attempts else None

    def attend(self, *, closely: bool) -> None:
        """See `LiveMicrophone`."""
        self._microphone.attend(closely=closely)

    async def __aenter__(self) -> Self:
        self._pump = asyncio.create_task(self._read(), name="microphone")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """See `Microphone`. Closing it leaves the device open for the next listener."""
        first: int | None = None
        while (frame := await self._next()) is not None:  # ends by: a frame, the microphone's end, its fault
            first = frame.start_sample if first is None else first
            self.taken += 1
            yield replace(frame, start_sample=frame.start_sample - first)

    async def _next(self) -> Frame | None:
        frame = await self._waiting.get()
        if frame is None:
            self._waiting.put_nowait(None)  # whoever listens next is told as well
            if self._fault is not None:
                raise self._fault
        return frame

    async def _read(self) -> None:
        try:
            async with aclosing(self._microphone.frames()) as frames:
                async for frame in frames:
                    await self._waiting.put(frame)
        except Exception as fault:
            self._fault = fault  # the listener's to raise
        await self._waiting.put(None)
