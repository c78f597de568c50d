"""What the computer lacks, from made-up folders; and that the real one can be read."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.service.events import CLOCK_SET, DISK_FULL, HOT, LOW_MEMORY
from claudiad.service.health import MB, Clocks, Health, Reading, Remark, read_health
from claudiad.service.jetson import Jetson, read_jetson

NOW = Clocks(wall=1e9, boot=100.0, monotonic=100.0)
FINE = Reading(NOW, available=4000 * MB, total=8000 * MB, disk_free=10_000 * MB)
ORIN = Jetson("NVIDIA Jetson Orin Nano", 43.0, 624, 1020, 1510, 55.0, "gpu-thermal", "15W")


def remarks(health: Health, *readings: Reading) -> list[Remark]:
    return [remark for reading in readings for remark in health.note(reading)]


@pytest.mark.parametrize(
    ("short", "event"),
    [
        (replace(FINE, available=100 * MB), LOW_MEMORY),
        (replace(FINE, disk_free=0), DISK_FULL),
        (replace(FINE, jetson=replace(ORIN, temperature_c=95.0)), HOT),
    ],
)
def test_a_shortage_is_told_once_and_once_more_when_it_is_over(short: Reading, event: object) -> None:
    """Not at every look, and again when it comes again."""
    health, fine = Health(), replace(FINE, jetson=ORIN)
    told = remarks(health, fine, short, short, short, fine, fine, short)
    assert [remark.event for remark in told] == [event] * 3
    assert [remark.level for remark in told] == [30, 20, 30]


def test_a_value_that_trembles_around_the_limit_is_told_once() -> None:
    """Just above the limit is not enough again."""
    below, above = replace(FINE, disk_free=49 * MB), replace(FINE, disk_free=51 * MB)
    assert len(remarks(Health(), below, above, below, above, below)) == 1


def test_much_memory_has_a_higher_limit() -> None:
    """5 % of 64 GB are more than the fixed limit; on a small computer the fixed one counts."""
    big = replace(FINE, total=64_000 * MB, available=3000 * MB)
    assert [r.event for r in remarks(Health(), big)] == [LOW_MEMORY]
    assert remarks(Health(), replace(FINE, available=500 * MB)) == []


def test_a_clock_that_is_set_and_a_suspend_are_told_apart() -> None:
    """Each with its seconds; neither is a warning; the next look is quiet again."""
    health = Health()
    set_forward = Clocks(wall=NOW.wall + 3605, boot=105.0, monotonic=105.0)
    slept = Clocks(wall=set_forward.wall + 600, boot=705.0, monotonic=105.0)
    told = remarks(health, FINE, *(replace(FINE, clocks=c) for c in (set_forward, set_forward, slept, slept)))
    assert [(r.event, r.level) for r in told] == [(CLOCK_SET, 20)] * 2
    assert "set by +3600 s" in told[0].text
    assert "suspended for 600 s" in told[1].text


@given(st.lists(st.floats(min_value=0.1, max_value=60), max_size=30), st.floats(min_value=-1, max_value=1))
def test_time_that_passes_is_no_jump(pauses: list[float], drift: float) -> None:
    """However long between two looks, and with a clock that is corrected gently."""
    health, at = Health(), 0.0
    for index, pause in enumerate(pauses):
        at += pause
        wall = 1e9 + at + (drift if index % 2 else 0.0)
        assert list(health.note(replace(FINE, clocks=Clocks(wall, at, at)))) == []


def test_the_status_names_what_is_short_and_what_the_gpu_does() -> None:
    """Nothing on a computer that is well and no Jetson."""
    assert FINE.line() == ""
    assert replace(FINE, jetson=ORIN).line() == "GPU 43 %, 624 MHz, 55 °C, mode 15W"
    assert replace(FINE, available=90 * MB, disk_free=MB).line() == "memory short (90 MB); disk full (1 MB)"
    unknown = Jetson("Jetson", None, None, None, None, None, "", "")
    assert replace(FINE, jetson=unknown).line() == ""


def test_this_computer_can_be_read(tmp_path: Path) -> None:
    """Real memory, disk and clocks, also for a folder that does not exist yet."""
    reading = read_health(tmp_path / "not" / "yet")
    assert reading.total is not None
    assert reading.available is not None
    assert 0 < reading.available <= reading.total
    assert reading.disk_free is not None
    assert reading.disk_free > 0
    assert abs(reading.clocks.wall - time.time()) < 60


def test_nonsense_in_proc_is_passed_over(tmp_path: Path) -> None:
    """What cannot be read is not known, and nothing is said about it."""
    (tmp_path / "proc").mkdir()
    meminfo = tmp_path / "proc" / "meminfo"
    meminfo.write_bytes(b"MemTotal: lots kB\n\xff\xfe\nMemAvailable:    1000 kB\nHugePages_Total: 3\n:\n")
    reading = read_health(tmp_path, tmp_path)
    assert (reading.total, reading.available) == (None, 1_024_000)
    meminfo.unlink()
    assert read_health(tmp_path, tmp_path).available is None


def board(root: Path) -> None:
    """An Orin Nano's files, as JetPack 6 has them."""
    files = {
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
        "sys/devices/gpu/of_node/name": "gpu\0",
        "sys/devices/gpu/load": "437\n",
        "sys/devices/vic/of_node/name": "vic\0",
        "sys/class/devfreq/17000000.gpu/cur_freq": "624750000\n",
        "sys/class/devfreq/17000000.gpu/max_freq": "1020000000\n",
        "sys/class/devfreq/15340000.vic/cur_freq": "115200000\n",
        "sys/devices/virtual/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/devices/virtual/thermal/thermal_zone0/temp": "48312\n",
        "sys/devices/virtual/thermal/thermal_zone1/type": "gpu-thermal\n",
        "sys/devices/virtual/thermal/thermal_zone1/temp": "51250\n",
        "sys/devices/virtual/thermal/thermal_zone2/type": "cv0-thermal\n",
        "sys/devices/virtual/thermal/thermal_zone2/temp": "-256000\n",
        "sys/devices/virtual/thermal/thermal_zone3/type": "PMIC-Die\n",
        "sys/devices/virtual/thermal/thermal_zone3/temp": "100000\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "729600\n",
        "sys/devices/system/cpu/cpu5/cpufreq/scaling_cur_freq": "1510400\n",
        "var/lib/nvpmodel/status": "pmode:0001 fmode:quiet\n",
        "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\nCPU_ONLINE CORE_0 1\n< POWER_MODEL ID=1 NAME=7W >\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "sys/class/devfreq/17000000.gpu/device").symlink_to(root / "sys/devices/gpu")
    (root / "sys/class/devfreq/15340000.vic/device").symlink_to(root / "sys/devices/vic")


def test_a_jetson_tells_what_jtop_shows(tmp_path: Path) -> None:
    """GPU load and clocks (not those of the other engines), the hottest real zone, and the power mode's name."""
    board(tmp_path)
    assert read_jetson(tmp_path) == Jetson(
        "NVIDIA Jetson Orin Nano Developer Kit", 43.7, 624, 1020, 1510, 51.25, "gpu-thermal", "7W"
    )


@pytest.mark.parametrize("gone", ["sys", "var", "etc", "proc/device-tree/model"])
def test_what_a_sandbox_hides_is_not_known(tmp_path: Path, gone: str) -> None:
    """The rest is still told; a board whose name and release file are both hidden is no Jetson."""
    board(tmp_path)
    target = tmp_path / gone
    target.rename(tmp_path / "hidden")
    jetson = read_jetson(tmp_path)
    if gone == "proc/device-tree/model":
        assert jetson is None
        (tmp_path / "etc/nv_tegra_release").touch()
        jetson = read_jetson(tmp_path)
    assert jetson is not None
    assert (jetson.gpu_load is None) == (gone == "sys")
    assert jetson.power_mode == {"var": "", "etc": "1"}.get(gone, "7W")


def test_a_zone_that_is_switched_off_has_no_temperature(tmp_path: Path) -> None:
    """It reports 256 degrees below zero: no reading, and not the hottest of none."""
    zone = tmp_path / "sys/devices/virtual/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cv0-thermal")
    (zone / "temp").write_text("-256000")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").touch()
    jetson = read_jetson(tmp_path)
    assert jetson is not None
    assert (jetson.temperature_c, jetson.hottest, jetson.line()) == (None, "", "")


@given(text=st.text(max_size=40))
def test_nonsense_in_its_files_is_not_known(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever a driver writes there, reading it raises nothing."""
    root = tmp_path_factory.mktemp("board")
    board(root)
    for name in ("sys/devices/gpu/load", "sys/devices/virtual/thermal/thermal_zone1/temp", "var/lib/nvpmodel/status"):
        (root / name).write_text(text, encoding="utf-8")
    jetson = read_jetson(root)
    assert jetson is not None
    assert jetson.gpu_load is None or 0 <= jetson.gpu_load <= 100


def test_any_other_computer_is_no_jetson(tmp_path: Path) -> None:
    """And this one can be asked."""
    assert read_jetson(tmp_path) is None
    read_jetson()
