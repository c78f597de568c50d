"""A live picture of the dog in the terminal: posture, way, battery, last calls."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from claudiad.robot.simulator import Go2Body, Report
from claudiad.types import Posture

RATE_HZ = 8.0
_COLUMNS, _ROWS = 34, 12
_WAY_POINTS = 4000
_LEAST_SPAN_M = 2.0

_DOGS: Mapping[Posture, str] = {
    Posture.STANDING: "  ▄▄▄▄▄▄▄◣\n  █ █   █ █\n  ▀ ▀   ▀ ▀",
    Posture.SITTING: "      ▄◣\n   ▄▟█▀█\n  ▟██▀ ▀",
    Posture.LYING: "\n\n  ▄▄▄▄▄▄▄◣▂",
    Posture.DAMPED: "\n\n  ▂▄▂▄▂▄▂▖ ×",
}
_ARROWS = "→↗↑↖←↙↓↘"
# Bits of a braille character, by column and row of its dots.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def braille_map(way: Sequence[tuple[float, float]], yaw: float, columns: int = _COLUMNS, rows: int = _ROWS) -> str:
    """The way so far, in metres, as lines of braille dots; x to the right, y up, an arrow where it ends.

    The same scale both ways, so that all of it is in the picture.
    """
    xs, ys = [x for x, _ in way], [y for _, y in way]
    width, height = columns * 2 - 1, rows * 4 - 1
    span = max(max(xs) - min(xs), (max(ys) - min(ys)) * width / height, _LEAST_SPAN_M) * 1.1
    scale = width / span
    middle_x, middle_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2

    def cell(x: float, y: float) -> tuple[int, int]:
        across = round((x - middle_x) * scale + width / 2)
        down = round((middle_y - y) * scale + height / 2)
        return min(max(across, 0), width), min(max(down, 0), height)

    cells = [[0] * columns for _ in range(rows)]
    for x, y in way:
        across, down = cell(x, y)
        cells[down // 4][across // 2] |= _DOTS[across % 2][down % 4]
    lines = [[chr(0x2800 + bits) for bits in row] for row in cells]
    across, down = cell(*way[-1])
    lines[down // 4][across // 2] = _ARROWS[round(yaw / (math.pi / 4)) % 8]
    return "\n".join("".join(line) for line in lines)


def picture(
    seen: Report, way: Sequence[tuple[float, float]], yaw: float, calls: Iterable[Mapping[str, Any]], title: str
) -> RenderableType:
    """Everything at one moment; `way` and `yaw` in truth, the numbers as the robot reports them."""
    facts = Table.grid(padding=(0, 1))
    colour = "red" if seen.battery <= 10 else "yellow" if seen.battery <= 30 else "green"
    bar = "█" * round(seen.battery / 10)
    for name, value in (
        ("posture", f"{seen.posture.value} ({seen.machine})"),
        ("running", f"{seen.running} {seen.progress:4.0%}" if seen.running else "-"),
        ("position", f"{seen.x:+.2f} {seen.y:+.2f} m"),
        ("heading", f"{math.degrees(seen.yaw):+.0f}°"),
        ("speed", f"{seen.vx:+.2f} {seen.vy:+.2f} m/s {seen.yaw_speed:+.2f} rad/s"),
        ("battery", Text(f"{bar:░<10} {seen.soc} %", style=colour)),
    ):
        facts.add_row(Text(name, style="dim"), value)
    last = Table.grid(padding=(0, 1))
    for call in calls:
        code = "no answer" if call["code"] is None else str(call["code"])
        last.add_row(f"{call['t']:.2f}", call["name"], Text(str(call["params"])[:40]), code)
    top = Table.grid(padding=(0, 2))
    top.add_row(Group(Text(_DOGS.get(seen.posture, "")), "", facts), Text(braille_map(way, yaw)))
    return Panel(Group(top, Text("last calls", style="dim"), last), title=title, width=80)


def show(body: Go2Body, calls: deque[dict[str, Any]], where: str, over: threading.Event) -> None:
    """Draw until `over` is set; on standard error."""
    way: deque[tuple[float, float]] = deque(maxlen=_WAY_POINTS)
    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        while True:
            x, y, yaw = body.pose
            if not way or math.hypot(x - way[-1][0], y - way[-1][1]) > 0.01:
                way.append((x, y))
            live.update(picture(body.report(), way, yaw, list(calls), f"Go2, simulated, on {where}"), refresh=True)
            if over.wait(1 / RATE_HZ):
                return
