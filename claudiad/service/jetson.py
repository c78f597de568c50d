"""What a Jetson tells about itself, from the files jtop reads (jetson-stats: gpu.py, temperature.py, nvpmodel.py).

Reads below a root folder, so that a test can make one. A file that is missing, unreadable or nonsense is None: these
files differ between JetPack versions, and a sandbox may hide them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GPUS: Final = frozenset({"gv11b", "gp10b", "ga10b", "gpu"})
"""Names of the GPU in the device tree: Xavier, TX2, Orin, and newer or older ones."""


@dataclass(frozen=True, slots=True)
class Jetson:
    """One reading. None: not known."""

    model: str
    gpu_load: float | None
    """Percent, 0 to 100."""
    gpu_mhz: int | None
    gpu_max_mhz: int | None
    """What the power mode allows; below the hardware's own maximum."""
    cpu_mhz: int | None
    """The fastest core's present clock."""
    temperature_c: float | None
    """The hottest zone's."""
    hottest: str
    power_mode: str
    """Its name, else its number, else empty."""

    def line(self) -> str:
        """For one line of a status."""
        load = None if self.gpu_load is None else f"GPU {self.gpu_load:.0f} %"
        clock = None if self.gpu_mhz is None else f"{self.gpu_mhz} MHz"
        heat = None if self.temperature_c is None else f"{self.temperature_c:.0f} °C"
        mode = f"mode {self.power_mode}" if self.power_mode else None
        return ", ".join(part for part in (load, clock, heat, mode) if part is not None)


def read_jetson(root: Path = Path("/")) -> Jetson | None:
    """None where this is no Jetson."""
    model = _text(root / "proc/device-tree/model").rstrip("\0")
    if "NVIDIA" not in model and not (root / "etc/nv_tegra_release").exists():
        return None
    gpu = next(_gpus(root), None)
    hottest, temperature = max(_zones(root), key=lambda zone: zone[1], default=("", None))
    clocks = [
        khz
        for path in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
        if (khz := _number(path)) is not None
    ]
    load = _number(gpu / "device/load") if gpu is not None else None
    return Jetson(
        model=model or "Jetson",
        gpu_load=None if load is None else min(100.0, max(0.0, load / 10)),
        gpu_mhz=_mhz(gpu / "cur_freq") if gpu is not None else None,
        gpu_max_mhz=_mhz(gpu / "max_freq") if gpu is not None else None,
        cpu_mhz=max(clocks) // 1000 if clocks else None,
        temperature_c=temperature,
        hottest=hottest,
        power_mode=_power_mode(root),
    )


def _gpus(root: Path) -> Iterator[Path]:
    for path in sorted((root / "sys/class/devfreq").glob("*")):
        if _text(path / "device/of_node/name").rstrip("\0") in GPUS:
            yield path


def _zones(root: Path) -> Iterator[tuple[str, float]]:
    for path in sorted((root / "sys/devices/virtual/thermal").glob("thermal_zone*")):
        name, millidegrees = _text(path / "type"), _number(path / "temp")
        # A power chip (PMIC) reports a constant, a zone that is switched off a negative number.
        if millidegrees is not None and millidegrees > 0 and "PMIC" not in name:
            yield name, millidegrees / 1000


def _power_mode(root: Path) -> str:
    found = re.search(r"pmode:(\d+)", _text(root / "var/lib/nvpmodel/status"))
    if found is None:
        return ""
    number = int(found[1])
    modes = re.findall(r"POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)", _text(root / "etc/nvpmodel.conf"))
    return next((name for ident, name in modes if int(ident) == number), str(number))


def _mhz(path: Path) -> int | None:
    hertz = _number(path)
    return None if hertz is None else hertz // 1_000_000


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
