"""What the computer itself lacks: memory, disk, coolness; and whether its clock was set. Said once, not every time."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from claudiad.service.events import CLOCK_SET, DISK_FULL, HOT, LOW_MEMORY, Event, Value
from claudiad.service.jetson import Jetson, read_jetson

MB: Final = 1_000_000
LOW_MEMORY_BYTES: Final = 250 * MB
LOW_MEMORY_SHARE: Final = 0.05
"""Less available than the larger of both is little: the kernel begins to take back what is in use."""
LOW_DISK_BYTES: Final = 50 * MB
HOT_C: Final = 90.0
"""Orin and Xavier slow themselves down a few degrees above (95 to 99 °C, NVIDIA's thermal design guides)."""
AGAIN: Final = 1.2
"""What was little is enough again at so many times the limit: a value that trembles is not told each time."""
JUMP_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Three clocks read together, seconds."""

    wall: float
    boot: float
    """Goes on while the computer is suspended."""
    monotonic: float
    """Does not."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The computer at one moment. None: not known."""

    clocks: Clocks
    available: int | None = None
    """Bytes of memory that can be had without swapping."""
    total: int | None = None
    disk_free: int | None = None
    """Bytes where the daemon keeps its state."""
    jetson: Jetson | None = None

    @property
    def memory_limit(self) -> float:
        """Bytes below which memory is short."""
        return max(LOW_MEMORY_BYTES, LOW_MEMORY_SHARE * (self.total or 0))

    def line(self) -> str:
        """For the status: what is short, and on a Jetson what its GPU does."""
        parts = [self.jetson.line()] if self.jetson is not None else []
        if self.available is not None and self.available < self.memory_limit:
            parts.append(f"memory short ({self.available / MB:.0f} MB)")
        if self.disk_free is not None and self.disk_free < LOW_DISK_BYTES:
            parts.append(f"disk full ({self.disk_free / MB:.0f} MB)")
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to be logged."""

    level: int
    text: str
    event: Event
    fields: dict[str, Value] = field(default_factory=dict)


class Health:
    """Which readings are worth a line. Pure: each shortage is told when it begins and when it is over."""

    def __init__(self) -> None:
        self._short: set[str] = set()
        self._clocks: Clocks | None = None

    def note(self, reading: Reading) -> Iterator[Remark]:
        """What is to be said about it, in view of those before."""
        yield from self._clock(reading.clocks)
        if reading.available is not None:
            yield from self._edge(
                LOW_MEMORY,
                reading.memory_limit / max(1, reading.available),
                f"memory is short: {reading.available / MB:.0f} MB are left; a smaller model, or fewer of them, helps",
                "memory suffices again",
                {"CLAUDIA_AVAILABLE_MB": reading.available // MB},
            )
        if reading.disk_free is not None:
            yield from self._edge(
                DISK_FULL,
                LOW_DISK_BYTES / max(1, reading.disk_free),
                f"the disk is full: {reading.disk_free / MB:.0f} MB are left; turns go on, their records may be lost",
                "the disk has room again",
                {"CLAUDIA_FREE_MB": reading.disk_free // MB},
            )
        if reading.jetson is not None and reading.jetson.temperature_c is not None:
            heat, zone = reading.jetson.temperature_c, reading.jetson.hottest
            yield from self._edge(
                HOT,
                heat / HOT_C,
                f"{zone} is at {heat:.0f} °C: the computer will slow itself down; answers take longer",
                "the computer has cooled down",
                {"CLAUDIA_TEMPERATURE_C": heat},
            )

    def _edge(self, event: Event, use: float, begins: str, ends: str, fields: dict[str, Value]) -> Iterator[Remark]:
        """`use` above 1 is too much, below 1 / AGAIN enough; in between it stays as it was."""
        if use > 1 and event.id not in self._short:
            self._short.add(event.id)
            yield Remark(logging.WARNING, begins, event, fields)
        elif use < 1 / AGAIN and event.id in self._short:
            self._short.remove(event.id)
            yield Remark(logging.INFO, ends, event, fields)

    def _clock(self, clocks: Clocks) -> Iterator[Remark]:
        before, self._clocks = self._clocks, clocks
        if before is None:
            return
        slept = (clocks.boot - clocks.monotonic) - (before.boot - before.monotonic)
        moved = (clocks.wall - clocks.boot) - (before.wall - before.boot)
        if slept > JUMP_S:
            yield Remark(logging.INFO, f"the computer was suspended for {slept:.0f} s", CLOCK_SET)
        if abs(moved) > JUMP_S:
            text = f"the clock was set by {moved:+.0f} s: times in the logs jump, nothing else"
            yield Remark(logging.INFO, text, CLOCK_SET, {"CLAUDIA_JUMP_S": moved})


def read_health(state: Path, root: Path = Path("/")) -> Reading:
    """The computer now. `state`: the daemon's folder. Blocks for a few files."""
    memory = _meminfo(root / "proc/meminfo")
    clocks = Clocks(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), time.monotonic())
    return Reading(clocks, memory.get("MemAvailable"), memory.get("MemTotal"), _free(state), read_jetson(root))


def _meminfo(path: Path) -> dict[str, int]:
    """Bytes by name; lines that are none are passed over."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdecimal():
            found[name] = int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    return found


def _free(folder: Path) -> int | None:
    """Bytes an ordinary user may still write; of the nearest folder that exists."""
    for path in (folder, *folder.parents):
        try:
            status = os.statvfs(path)
        except OSError:
            continue
        return status.f_bavail * status.f_frsize
    return None
