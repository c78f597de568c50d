"""A private PulseAudio with two null sinks: `mic`, whose monitor PortAudio captures, and `speaker`.

    what the tests play ─► sink mic ─► mic.monitor ─► daemon ─► sink speaker ─► speaker.monitor ─► recording

`norewinds=1` keeps the null sinks' latency at 50 ms; without it a monitor's first block takes up to two seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from claudiad.audio.wav import write_wav
from claudiad.types import SAMPLE_RATE, Pcm

_SINKS = ("mic", "speaker")
_PATIENCE_S = 10.0
_ASOUNDRC = """\
pcm.!default { type pulse hint { show on description "default" } }
ctl.!default { type pulse }
"""


class Pulse:
    """One server; every path of it lies under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "native"
        self._server: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []
        (folder / "home").mkdir(mode=0o700)
        (folder / "home" / ".asoundrc").write_text(_ASOUNDRC)

    @property
    def env(self) -> dict[str, str]:
        """For a process whose `default` sound device is to be this server's."""
        home = str(self._folder / "home")
        return os.environ | {
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "XDG_RUNTIME_DIR": str(self._folder),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_SOURCE": "mic.monitor",
            "PULSE_SINK": "speaker",
        }

    def start(self) -> None:
        """Start (again); returns when the server answers."""
        self._socket.unlink(missing_ok=True)
        modules = [f"module-native-protocol-unix socket={self._socket} auth-anonymous=1"]
        modules += [f"module-null-sink sink_name={sink} norewinds=1" for sink in _SINKS]
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr"]
        env = {name: value for name, value in self.env.items() if not name.startswith("PULSE_")}
        with (self._folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                ["pulseaudio", *options, *(word for module in modules for word in ("-L", module))],
                env=env,
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, (self._folder / "server.log").read_text)

    def _answers(self) -> bool:
        asked = subprocess.run(["pactl", "list", "short", "sinks"], env=self.env, capture_output=True, check=False)
        return all(sink.encode() in asked.stdout for sink in _SINKS)

    def kill(self) -> None:
        """SIGKILL, as a crash would be; the socket stays behind."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def freeze(self) -> None:
        """SIGSTOP: it still exists and answers nothing."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, frozen or not, and what still plays into it."""
        for player in self._players:
            player.kill()
            player.wait()
        self.kill()

    def play_into_mic(self, wav: Path, *, wait: bool = True) -> subprocess.Popen[bytes]:
        """Let the microphone hear a WAV file; returns when it has sounded, or at once."""
        player = subprocess.Popen(["paplay", "--device=mic", str(wav)], env=self.env)
        self._players.append(player)
        if wait:
            assert player.wait() == 0
        return player

    def play_pcm_into_mic(self, pcm: Pcm, *, wait: bool = True) -> subprocess.Popen[bytes]:
        """Likewise for samples, 16 kHz mono."""
        path = self._folder / "said.wav"
        write_wav(path, pcm)
        return self.play_into_mic(path, wait=wait)

    def record_speaker(self, seconds: float) -> Pcm:
        """What comes out of the speaker during the next seconds, 16 kHz mono."""
        with SpeakerRecording(self) as recording:
            wait_for(lambda: len(recording.pcm()) >= seconds * SAMPLE_RATE, lambda: "nothing recorded", seconds + 10)
        return recording.pcm()[: int(seconds * SAMPLE_RATE)]


class SpeakerRecording:
    """Records the speaker while it is open; `pcm` may be read at any time."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._path = pulse._folder / f"heard-{time.monotonic_ns()}.raw"

    def __enter__(self) -> SpeakerRecording:
        command = ["parec", "--device=speaker.monitor", "--rate=16000", "--channels=1", "--format=s16le", "--raw"]
        with self._path.open("wb") as out:
            self._recorder = subprocess.Popen([*command, "--latency-msec=20"], env=self._pulse.env, stdout=out)
        # Nothing is missed only once the first samples, of silence, have come.
        wait_for(lambda: len(self.pcm()) > 0, lambda: "parec records nothing")
        return self

    def __exit__(self, *_: object) -> None:
        self._recorder.terminate()
        self._recorder.wait()

    def pcm(self) -> Pcm:
        """Everything so far, 16 kHz mono."""
        content = self._path.read_bytes()
        return np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.int16)


def wait_for(condition: Callable[[], bool], why: Callable[[], str], seconds: float = _PATIENCE_S) -> None:
    """Poll another process's doing, which nothing here is told of; fails with `why()` when it never comes."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:g} s: {why()}")
        time.sleep(0.02)


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    """A running server; import it into the test module that uses it."""
    missing = [name for name in ("pulseaudio", "pactl", "paplay", "parec") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"{', '.join(missing)} not found: apt-get install pulseaudio pulseaudio-utils libasound2-plugins")
    folder = tmp_path / "pulse"
    folder.mkdir(mode=0o700)
    server = Pulse(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
