"""The robot's own loudspeaker in its own microphone, as loud as wanted.

daemon ─► sink speaker ─► speaker.monitor ─► loopback, so many decibels ─► sink mic ─► mic.monitor ─► daemon
"""

from __future__ import annotations

import subprocess

from tests.real.pulse import Pulse, wait_for


class Loopback:
    """From the server's speaker to its microphone; over when the server ends."""

    def __init__(self, pulse: Pulse, decibels: float, latency_ms: int = 20) -> None:
        """Args: `decibels` 0 or less; `latency_ms` on top of what the sound server's own devices take."""
        self._pulse = pulse
        # adjust_time=0: its rate is not trimmed against drift, both sinks run on the machine's clock.
        module = ("source=speaker.monitor", "sink=mic", f"latency_msec={latency_ms}", "adjust_time=0")
        self._pactl("load-module", "module-loopback", *module)
        wait_for(lambda: bool(self._inputs()), lambda: "the loopback does not appear")
        (self._input,) = self._inputs()
        self.set_level(decibels)

    def set_level(self, decibels: float) -> None:
        """Of the echo, relative to what is played."""
        self._pactl("set-sink-input-volume", self._input, f"{decibels:g}dB")

    def _inputs(self) -> list[str]:
        lines = self._pactl("list", "short", "sink-inputs").splitlines()
        return [line.split()[0] for line in lines if "module-loopback" in line]

    def _pactl(self, *words: str) -> str:
        done = subprocess.run(["pactl", *words], env=self._pulse.env, capture_output=True, text=True, check=True)
        return done.stdout
