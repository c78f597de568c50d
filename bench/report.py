"""What every measurement shares: percentiles, the machine it ran on, the file it leaves."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

BUILD = Path("build")
POINTS = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a figure was measured; without it the figure says nothing."""

    cpu: str
    cores: int
    """Cores this process may use."""
    load: float
    """One-minute load average when the measurement began: much above 0 means that something else ran."""
    python: str


def machine() -> Machine:
    """This machine, now."""
    return Machine(
        cpu=_cpu(), cores=len(os.sched_getaffinity(0)), load=os.getloadavg()[0], python=platform.python_version()
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    return named.get("model name") or named.get("Model") or platform.machine()


def title(console: Console, text: str, where: Machine) -> None:
    """The head of a report."""
    console.print(f"\n[bold]{text}[/]\n{where.cpu}, {where.cores} cores, load {where.load:.1f}, Python {where.python}")


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p90, p95, p99 and max by linear interpolation; empty for no values."""
    if not values:
        return {}
    points = np.percentile(np.asarray(values, dtype=np.float64), POINTS)
    return {f"p{p}": round(float(v), 3) for p, v in zip(POINTS, points, strict=True)} | {"max": round(max(values), 3)}


def percentile_table(console: Console, rows: Mapping[str, Sequence[float]], unit: str, digits: int = 0) -> None:
    """One row per quantity: how many values, and their percentiles."""
    table = Table("", "n", *(f"p{p}" for p in POINTS), "max", title=unit, title_justify="right")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, values in rows.items():
        shown = [f"{v:.{digits}f}" for v in percentiles(values).values()] or ["-"] * (len(POINTS) + 1)
        table.add_row(name, str(len(values)), *shown)
    console.print(table)


def save(name: str, where: Machine, result: Mapping[str, Any]) -> Path:
    """Write build/NAME.json; returns its path."""
    BUILD.mkdir(exist_ok=True)
    path = BUILD / f"{name}.json"
    content = {"machine": asdict(where), **result}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
