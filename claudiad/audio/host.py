"""What the device microphone and speaker need of a sound system; `PortAudioHost` is the real one.

The callbacks run in the sound system's own thread and may only copy and wake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from claudiad.types import Pcm

OnBlock = Callable[[Pcm], None]
"""Captured samples, int16, interleaved, shape (n * channels,); valid only during the call."""
FillBlock = Callable[[Pcm], None]
"""Samples to overwrite, int16, interleaved, shape (n * channels,), zeros on entry."""
OnEnd = Callable[[], None]
"""The stream ended by itself: its device is gone."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A running stream."""

    device: str
    rate: int
    """Hz."""
    channels: int
    latency_s: float
    key: int
    """The host's own number for it."""


class SoundHost(Protocol):
    """Opens and closes streams off the event loop."""

    async def open_input(self, device: str, on_block: OnBlock, on_end: OnEnd) -> Opened:
        """Capture from `default` or the device whose name contains `device`; DeviceError says why it cannot."""
        ...

    async def open_output(self, device: str, fill: FillBlock, on_end: OnEnd) -> Opened:
        """Play to a device, likewise."""
        ...

    async def close(self, stream: Opened) -> None:
        """Close a stream, drop what it holds; one that is closed already stays so. Never raises for a device."""
        ...
