"""What `claudiad doctor` says about the computer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from claudiad.app.doctor_machine import examine, findings
from claudiad.service.health import MB
from tests.app.room import settings_with
from tests.service.test_health import FINE, ORIN, board


def test_a_computer_that_is_well_is_ok() -> None:
    """With the figures, and no remedy where none is needed."""
    memory, disk = findings(FINE)
    assert (memory.verdict, memory.detail, memory.remedy) == ("ok", "4000 of 8000 MB can be had", "")
    assert (disk.verdict, disk.detail, disk.remedy) == ("ok", "10000 MB are free", "")


def test_what_is_short_is_a_warning_with_a_remedy() -> None:
    """Never missing: it runs all the same."""
    hot = replace(ORIN, temperature_c=97.0)
    found = findings(replace(FINE, available=MB, disk_free=MB, jetson=hot))
    assert [f.verdict for f in found] == ["warning"] * 3
    assert all(f.remedy for f in found)


def test_what_is_not_known_is_left_out() -> None:
    """In a sandbox, or on another system."""
    assert findings(replace(FINE, available=None, disk_free=None)) == []


def test_a_jetson_is_described(tmp_path: Path) -> None:
    """Model, load, clocks, temperature and power mode in one line."""
    board(tmp_path)
    found = {f.check: f for f in examine(settings_with(audit={"directory": str(tmp_path)}), tmp_path)}
    assert found["Jetson"].verdict == "ok"
    assert found["Jetson"].detail == (
        "NVIDIA Jetson Orin Nano Developer Kit, GPU 44 %, 624 MHz, 51 °C, mode 7W, "
        "GPU clock up to 1020 MHz in this mode, CPU at 1510 MHz"
    )
