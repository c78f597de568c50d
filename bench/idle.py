"""The daemon as a process in a quiet room: start to ready, then CPU and memory while nobody speaks.

    python -m bench.idle [--seconds 60] [--noise-dbfs -55]

Its microphone is a private PulseAudio's null sink into which room noise is played, so that PortAudio, resampling and
endpointing do what they would do on a robot. PulseAudio's own work is not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bench.report import machine, save, title
from claudiad.audio.wav import write_wav
from claudiad.types import SAMPLE_RATE
from tests.real.pulse import Pulse

TICKS = os.sysconf("SC_CLK_TCK")
START_PATIENCE_S = 60.0
SETTLE_S = 3.0
"""From ready to the first sample: the device is opened, the noise floor is found."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What /proc says of one process."""

    cpu_s: float
    loop_cpu_s: float
    """Of that, the event loop's thread."""
    resident_mb: float
    proportional_mb: float
    """Shared pages divided among those who share them."""
    peak_mb: float
    threads: int

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Now. Raises OSError when the process is gone."""
        folder = Path(f"/proc/{pid}")
        fields, loop = _stat(folder), _stat(folder / "task" / str(pid))
        status = _kilobytes(folder / "status")
        return cls(
            cpu_s=(int(fields[11]) + int(fields[12])) / TICKS,
            loop_cpu_s=(int(loop[11]) + int(loop[12])) / TICKS,
            resident_mb=status["VmRSS"] / 1024,
            proportional_mb=_kilobytes(folder / "smaps_rollup")["Pss"] / 1024,
            peak_mb=status["VmHWM"] / 1024,
            threads=int(fields[17]),
        )


def _stat(folder: Path) -> list[str]:
    """From the state on. The command's name before it, in brackets, may itself contain spaces and brackets."""
    return (folder / "stat").read_text().rsplit(") ", 1)[1].split()


def _kilobytes(file: Path) -> dict[str, int]:
    lines = (line.split() for line in file.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) == 3 and words[2] == "kB"}


class Daemon:
    """`claudiad run` with its log in a file."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._log = folder / "daemon.log"
        self._began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "claudiad", "run"],
                env=env | {"STATE_DIRECTORY": str(folder / "state"), "RUNTIME_DIRECTORY": str(folder)},
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """Everything it has said."""
        return self._log.read_text(encoding="utf-8")

    def ready(self) -> float:
        """Wait for it; seconds since the process was started. Raises RuntimeError when it does not come up."""
        while " ready in " not in self.log:
            if self._process.poll() is not None or time.monotonic() - self._began > START_PATIENCE_S:
                raise RuntimeError(f"the daemon did not get ready:\n{self.log[-2000:]}")
            time.sleep(0.01)
        return time.monotonic() - self._began

    def usage(self) -> Usage:
        return Usage.of(self._process.pid)

    def stop(self) -> float:
        """SIGTERM; seconds until it had ended."""
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return time.monotonic() - began


def room_noise(path: Path, seconds: float, dbfs: float) -> None:
    """White noise, the same every time."""
    amplitude = 32768.0 * 10.0 ** (dbfs / 20.0)
    noise = np.random.default_rng(0).normal(0.0, amplitude, round(seconds * SAMPLE_RATE))
    write_wav(path, np.clip(np.rint(noise), -32768, 32767).astype(np.int16))


def measure(folder: Path, seconds: float, noise_dbfs: float, console: Console) -> dict[str, float]:
    """Start twice (the second time as after a restart), then listen."""
    pulse = Pulse(folder)
    pulse.start()
    try:
        noise = folder / "noise.wav"
        room_noise(noise, seconds + SETTLE_S + START_PATIENCE_S, noise_dbfs)
        pulse.play_into_mic(noise, wait=False)
        first = Daemon(folder, pulse.env)
        try:
            first_s = first.ready()
        finally:
            stopped_s = first.stop()
        daemon = Daemon(folder, pulse.env)
        try:
            ready_s = daemon.ready()
            time.sleep(SETTLE_S)
            before, began = daemon.usage(), time.monotonic()
            bar = Progress(
                TextColumn("listening to a quiet room …"), BarColumn(), TimeRemainingColumn(), console=console
            )
            with bar:
                for _ in bar.track(range(round(seconds))):
                    time.sleep(1.0)
            after, elapsed = daemon.usage(), time.monotonic() - began
            heard = daemon.log.count(" heard ")
        finally:
            daemon.stop()
    finally:
        pulse.stop()
    return {
        "first_start_s": round(first_s, 2),
        "restart_s": round(ready_s, 2),
        "stop_s": round(stopped_s, 2),
        "cpu_percent_of_one_core": round(100.0 * (after.cpu_s - before.cpu_s) / elapsed, 2),
        "event_loop_percent": round(100.0 * (after.loop_cpu_s - before.loop_cpu_s) / elapsed, 2),
        "seconds": round(elapsed, 1),
        "resident_mb": round(after.resident_mb, 1),
        "proportional_mb": round(after.proportional_mb, 1),
        "peak_mb": round(after.peak_mb, 1),
        "threads": after.threads,
        "turns_heard": heard,
    }


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=60.0, help="how long to listen (default 60)")
    p.add_argument("--noise-dbfs", type=float, default=-55.0, help="level of the room (default -55)")
    a = p.parse_args()
    console, where = Console(highlight=False), machine()
    title(console, "bench-idle: the daemon in a quiet room", where)
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), a.seconds, a.noise_dbfs, console)
    console.print(
        f"start to ready      {found['first_start_s']:.2f} s, started again {found['restart_s']:.2f} s\n"
        f"SIGTERM to the end  {found['stop_s']:.2f} s\n"
        f"listening           {found['cpu_percent_of_one_core']:.1f} % of one core over {found['seconds']:.0f} s "
        f"(event loop {found['event_loop_percent']:.1f} %)\n"
        f"resident            {found['resident_mb']:.0f} MB (proportional {found['proportional_mb']:.0f} MB, "
        f"peak {found['peak_mb']:.0f} MB), {found['threads']} threads\n"
        f"turns heard         {found['turns_heard']} (none is right)"
    )
    console.print(f"written to {save('bench-idle', where, {'noise_dbfs': a.noise_dbfs, **found})}")
    return 0 if found["turns_heard"] == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
