"""What every source of sound looks like to the rest of the program."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from claudiad.types import Frame

Pace = Literal["real", "fast"]
"""`real`: at the speed of sound on the given clock; `fast`: without waiting."""


@dataclass(slots=True)
class CaptureStats:
    """What a microphone has to say about itself; updated in place while it runs."""

    device: str = ""
    rate: int = 0
    """Hz, the device's own."""
    channels: int = 0
    state: Literal["open", "missing", "lost", "closed"] = "closed"
    """`missing`: never found since `frames` began; `lost`: it was there and is being looked for."""
    frames: int = 0
    overflow_samples: int = 0
    """At the device's rate: captured and thrown away, because nobody took the frames in time."""
    reopened: int = 0
    attempts: int = 0
    """To open the device: grows for as long as it is missing or lost."""
    last_frame_at: float | None = None
    """Clock time of the last frame delivered."""
    silent_zeros: bool = False
    """Nothing but zeros for the last seconds: muted, or a driver that does not work."""


class Microphone(Protocol):
    """A source of frames for one listener at a time."""

    @property
    def stats(self) -> CaptureStats:
        """Live numbers."""
        ...

    def frames(self) -> AsyncGenerator[Frame, None]:
        """Frames with contiguous `start_sample`, from 0; closing the generator (`aclose`) releases the device.

        It never raises because of a device: one that is missing or gone is waited for.
        """
        ...


@runtime_checkable
class LiveMicrophone(Microphone, Protocol):
    """One that delivers at the speed of sound."""

    def attend(self, *, closely: bool) -> None:
        """Every frame as it comes (as at first), or several at a time, which is cheaper, while nobody speaks."""
        ...
