"""A sound system without sound: devices appear and vanish, blocks come when the test says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claudiad.audio.host import FillBlock, OnBlock, OnEnd, Opened
from claudiad.errors import DeviceError
from claudiad.types import Pcm


@dataclass(slots=True)
class FakeStream:
    """An open stream as the test sees it."""

    opened: Opened
    on_block: OnBlock | None
    fill: FillBlock | None
    on_end: OnEnd
    closed: bool = False

    def capture(self, mono: Pcm) -> None:
        """The device hears this, on every channel."""
        assert self.on_block is not None
        assert not self.closed, "a closed device hears nothing"
        self.on_block(np.repeat(mono, self.opened.channels))

    def take(self, samples: int) -> Pcm:
        """The device plays its next block; returns the first channel."""
        assert self.fill is not None
        assert not self.closed, "a closed device plays nothing"
        out = np.zeros(samples * self.opened.channels, np.int16)
        self.fill(out)
        return out[:: self.opened.channels]


class FakeHost:
    """Keeps the contract of `SoundHost`: refuses double closing of what it never opened, and absent devices."""

    def __init__(self, rate: int = 16_000, channels: int = 1, *, present: bool = True) -> None:
        self.rate = rate
        self.channels = channels
        self.present = present
        self.attempts = 0
        self.streams: list[FakeStream] = []

    @property
    def last(self) -> FakeStream:
        return self.streams[-1]

    @property
    def running(self) -> int:
        return sum(not one.closed for one in self.streams)

    async def open_input(self, device: str, on_block: OnBlock, on_end: OnEnd) -> Opened:
        return self._open(device, on_block, None, on_end)

    async def open_output(self, device: str, fill: FillBlock, on_end: OnEnd) -> Opened:
        return self._open(device, None, fill, on_end)

    async def close(self, stream: Opened) -> None:
        self.streams[stream.key].closed = True

    def _open(self, device: str, on_block: OnBlock | None, fill: FillBlock | None, on_end: OnEnd) -> Opened:
        self.attempts += 1
        if not self.present:
            raise DeviceError(f"no device {device!r}; there are: none")
        opened = Opened(f"Fake {device}", self.rate, self.channels, 0.04, len(self.streams))
        self.streams.append(FakeStream(opened, on_block, fill, on_end))
        return opened
