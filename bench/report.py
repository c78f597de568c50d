"""What every measurement shares: percentiles, the machine it ran on, the file it leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from claudiad.app.machine import Machine
from claudiad.app.machine import this_machine as machine

__all__ = ["Machine", "machine", "percentile_table", "percentiles", "save", "title"]

BUILD = Path("build")
POINTS = (50, 90, 95, 99)


def title(console: Console, text: str, where: Machine) -> None:
    """The head of a report."""
    console.print(f"\n[bold]{text}[/]\n{where.line}")


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
