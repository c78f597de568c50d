"""The device microphone and speaker on a real sound server, and what happens when that breaks.

The devices live in a process of their own: PortAudio's state is a process's, and ALSA reads its configuration once.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audio.sounds import frequency, tone
from tests.real.pulse import Pulse, SpeakerRecording, pulse

__all__ = ["pulse"]

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]


class Child:
    """`audio_child.py`, with its lines."""

    def __init__(self, pulse: Pulse, log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.real.audio_child"],
                env=pulse.env,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def expect(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20.0) -> dict[str, Any]:
        """The next line that is wanted; fails with the child's log when none comes."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"it never came; last: {self.seen[-5:]}; log: {self.log()[-2000:]}")
            self.seen.append(line)
            if wanted(line):
                return line

    def state(self, name: str) -> dict[str, Any]:
        return self.expect(lambda line: line.get("state") == name)

    def tone(self, hz: float) -> dict[str, Any]:
        """Wait until the microphone hears it."""
        return self.expect(lambda line: abs(line.get("hz", 0) - hz) <= 5 and line["dbfs"] > -30)

    def log(self) -> str:
        return self._log.read_text()

    def quit(self) -> int:
        self.tell("quit")
        self.expect(lambda line: "left" in line)
        return self._process.wait(timeout=20)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._reader.join()


@pytest.fixture
def child(pulse: Pulse, tmp_path: Path) -> Iterator[Child]:
    process = Child(pulse, tmp_path / "child.log")
    yield process
    process.end()


def test_a_tone_played_into_the_microphone_arrives_at_16_khz(pulse: Pulse, child: Child) -> None:
    """Captured at the device's 44.1 kHz, it has its pitch at 16 kHz, without a gap, and closing ends cleanly."""
    child.state("open")
    pulse.play_pcm_into_mic(tone(620, 1500), wait=False)
    child.tone(620)
    assert child.quit() == 0
    assert not [line for line in child.seen if "bad" in line]
    assert "44100 Hz" in child.log()


def test_what_is_played_comes_out_of_the_speaker(pulse: Pulse, child: Child) -> None:
    """One second of a tone is recorded from the other sink with its pitch and length."""
    child.state("open")
    with SpeakerRecording(pulse) as recording:
        child.tell("play 880 1000")
        played = child.expect(lambda line: "played" in line)
        child.tell("play 0 300")
        child.expect(lambda line: "played" in line)
        heard = recording.pcm()
    assert played["played"] > 0.9
    loud = np.flatnonzero(np.abs(heard) > 800)
    sound = heard[loud[0] : loud[-1]]
    assert abs(len(sound) / 16_000 - 1.0) < 0.06
    assert abs(frequency(sound) - 880) < 3


def test_a_killed_server_that_comes_back_is_used_again(pulse: Pulse, child: Child) -> None:
    """Frames resume with contiguous numbers, speech during the fault costs only its sound, afterwards it sounds."""
    child.state("open")
    child.tell("play 500 200")
    child.expect(lambda line: "played" in line)
    pulse.kill()
    child.state("lost")
    child.tell("play 500 300")
    assert child.expect(lambda line: "played" in line)["played"] >= 0.29
    pulse.start()
    assert child.state("open")["reopened"] == 1
    pulse.play_pcm_into_mic(tone(740, 2000), wait=False)
    child.tone(740)
    with SpeakerRecording(pulse) as recording:
        child.tell("play 500 600")
        child.expect(lambda line: "played" in line)
        child.tell("play 0 300")
        child.expect(lambda line: "played" in line)
        heard = recording.pcm()
    assert np.abs(heard).max() > 4000
    assert child.quit() == 0
    assert not [line for line in child.seen if "bad" in line]


def test_a_frozen_server_is_noticed_and_taken_up_again(pulse: Pulse, child: Child) -> None:
    """A server that answers nothing blocks PortAudio, not the loop; when it goes on, so do the frames."""
    child.state("open")
    pulse.play_pcm_into_mic(tone(500, 200))
    child.expect(lambda line: "frame" in line)
    pulse.freeze()
    child.state("lost")
    child.tell("play 500 300")
    child.expect(lambda line: "played" in line)
    pulse.thaw()
    child.state("open")
    pulse.play_pcm_into_mic(tone(810, 2000), wait=False)
    child.tone(810)
    assert child.quit() == 0
    assert not [line for line in child.seen if "bad" in line]


def test_a_process_can_end_while_the_server_is_frozen(pulse: Pulse, child: Child) -> None:
    """Neither closing nor the interpreter's exit waits for a server that will never answer."""
    child.state("open")
    child.expect(lambda line: "frame" in line)
    pulse.freeze()
    child.state("lost")
    assert child.quit() == 0


def test_a_server_that_comes_later_is_found(pulse: Pulse, tmp_path: Path) -> None:
    """Missing at start: one line, then the device's frames as soon as there is one."""
    pulse.kill()
    child = Child(pulse, tmp_path / "late.log")
    try:
        child.state("missing")
        pulse.start()
        child.state("open")
        pulse.play_pcm_into_mic(tone(560, 2000), wait=False)
        child.tone(560)
        assert child.quit() == 0
        assert child.log().count("no microphone") == 1
    finally:
        child.end()
