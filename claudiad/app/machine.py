"""The computer a figure was measured on; without it the figure says nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer, and how busy it was."""

    cpu: str
    cores: int
    """Cores this process may use."""
    load: float
    """One-minute load average when the measurement began: much above 0 means that something else ran."""
    python: str

    @property
    def line(self) -> str:
        """For the head of a report."""
        return f"{self.cpu}, {self.cores} cores, load {self.load:.1f}, Python {self.python}"


def this_machine() -> Machine:
    """This computer, now."""
    cores = len(os.sched_getaffinity(0))
    return Machine(_cpu(), cores, round(os.getloadavg()[0], 2), platform.python_version())


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    return named.get("model name") or named.get("Model") or platform.machine()
