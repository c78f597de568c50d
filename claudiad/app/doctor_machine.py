"""The computer in `claudiad doctor`: memory, disk and, on a Jetson, what its GPU does. Nothing of it is missing."""

from __future__ import annotations

from pathlib import Path

from claudiad.app.finding import Finding
from claudiad.app.state import audit_directory
from claudiad.config import Settings
from claudiad.service.health import HOT_C, LOW_DISK_BYTES, MB, Reading, read_health
from claudiad.service.jetson import Jetson


def examine(settings: Settings, root: Path = Path("/")) -> list[Finding]:
    """Look at the computer now. Blocks for a few files."""
    return findings(read_health(audit_directory(settings), root))


def findings(reading: Reading) -> list[Finding]:
    """What there is to say about a reading; what is not known is left out."""
    found = []
    if reading.available is not None:
        short = reading.available < reading.memory_limit
        total = "" if reading.total is None else f" of {reading.total / MB:.0f}"
        remedy = "a smaller model, or no desktop (`systemctl set-default multi-user.target`)" if short else ""
        detail = f"{reading.available / MB:.0f}{total} MB can be had"
        found.append(Finding("memory", "warning" if short else "ok", detail, remedy))
    if reading.disk_free is not None:
        full = reading.disk_free < LOW_DISK_BYTES
        remedy = "make room: `journalctl --vacuum-size=200M`, `claudiad models`" if full else ""
        found.append(Finding("disk", "warning" if full else "ok", f"{reading.disk_free / MB:.0f} MB are free", remedy))
    if reading.jetson is not None:
        found.append(_jetson(reading.jetson))
    return found


def _jetson(jetson: Jetson) -> Finding:
    facts = [jetson.model, jetson.line()]
    if jetson.gpu_max_mhz is not None:
        facts.append(f"GPU clock up to {jetson.gpu_max_mhz} MHz in this mode")
    if jetson.cpu_mhz is not None:
        facts.append(f"CPU at {jetson.cpu_mhz} MHz")
    detail = ", ".join(fact for fact in facts if fact)
    if jetson.temperature_c is not None and jetson.temperature_c > HOT_C:
        return Finding("Jetson", "warning", detail, "it slows itself down: give it air, check the fan")
    return Finding("Jetson", "ok", detail, "faster: a higher power mode (`sudo nvpmodel -q`), `sudo jetson_clocks`")
