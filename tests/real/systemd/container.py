"""A machine of its own: a real systemd as PID 1, on an overlay of this one's root, without its network.

What it writes lies in one folder and goes with it. The control groups are version 2 and BPF is let through, so that
`IPAddressDeny=` and `DeviceAllow=` do there what they do on a robot.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

SETTINGS = "/etc/claudia/claudiad.toml"
PATIENCE_S = 30.0
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}

_SOUND = """\
[Service]
RuntimeDirectory=testsound
Environment=HOME=/run/testsound
ExecStart=/usr/bin/pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --log-target=stderr \
-L "module-native-protocol-unix socket=/run/testsound/native auth-anonymous=1" \
-L "module-null-sink sink_name=mic norewinds=1" -L "module-null-sink sink_name=speaker norewinds=1"
"""
_ASOUND = """\
pcm.!default { type pulse hint { show on description "default" } }
ctl.!default { type pulse }
"""
_WITH_SOUND = """\
[Service]
Environment=PULSE_SERVER=unix:/run/testsound/native PULSE_SOURCE=mic.monitor PULSE_SINK=speaker
"""


class Container:
    """Booted by `start`, gone after `stop`. Everything in it is asked for with `run`."""

    def __init__(self, folder: Path, binds: Mapping[Path, str]) -> None:
        """Args: `folder` for what it writes; `binds` are folders of this machine, shown read-only at these paths."""
        self._folder = folder
        self._binds = binds
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._init = 0
        self.root = folder / "root"
        self.before: frozenset[str] = frozenset()
        """What had been written to it before claudiad was installed."""

    def start(self) -> None:
        """Boot it; fails the test with the reason where that is impossible."""
        if os.geteuid() != 0:
            pytest.fail("a container needs root: run the tests as root, or with sudo")
        if shutil.which("systemd-nspawn") is None:
            pytest.fail("systemd-nspawn is missing: scripts/system-packages test")
        for each in ("upper", "work", "root"):
            (self._folder / each).mkdir()
        # volatile: nothing in it is ever waited for to reach the disk.
        options = f"volatile,lowerdir=/,upperdir={self._folder}/upper,workdir={self._folder}/work"
        mounted = subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.fail(f"no overlay of this machine's root can be mounted: {mounted.stderr.decode().strip()}")
        words = ["systemd-nspawn", f"--directory={self.root}", "--boot", f"--machine=claudiad-test-{os.getpid()}"]
        words += ["--private-network", "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe"]
        words += ["--capability=all", "--system-call-filter=bpf"]
        words += [f"--bind-ro={here}:{there}" for here, there in self._binds.items()]
        with (self._folder / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(
                # Nothing of what this machine runs, only what the tests start.
                [*words, "systemd.unit=basic.target"],
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        self._wait(self._booted, self._console)

    def _booted(self) -> bool:
        assert self._nspawn is not None
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        if self._nspawn.poll() is not None:
            pytest.fail(f"systemd-nspawn ended with {self._nspawn.returncode}:\n{self._console()}")
        with contextlib.suppress(OSError, IndexError):
            self._init = int(children.read_text().split()[0])
        return self._init != 0 and self.run("systemctl", "is-system-running", check=False).strip() in (
            "running",
            "degraded",
        )

    def _console(self) -> str:
        return (self._folder / "console").read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """End it at once, and remove what it wrote."""
        if self._init:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init, signal.SIGKILL)  # PID 1 of its own name space: all others go with it
        if self._nspawn is not None:
            self._nspawn.wait(timeout=PATIENCE_S)
        subprocess.run(["umount", str(self.root)], check=False, capture_output=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, *words: str, check: bool = True, seconds: float = 300.0) -> str:
        """A command in it as root; what it printed, both streams together."""
        entered = ["nsenter", "--target", str(self._init), "--all", "env", "-i", "-C", "/"]
        entered += [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        done = subprocess.run(
            [*entered, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
        text = done.stdout.decode(errors="replace")
        if check and done.returncode:
            pytest.fail(f"{' '.join(words)}: exit status {done.returncode}\n{text[-4000:]}")
        return text

    def status_of(self, *words: str) -> int:
        """The exit status of a command in it."""
        text = self.run("sh", "-c", '"$@" >/dev/null 2>&1; echo $?', "sh", *words)
        return int(text.split()[-1])

    def write(self, path: str, text: str) -> None:
        """A file in it."""
        file = Path(f"/proc/{self._init}/root{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        """A file in it."""
        return Path(f"/proc/{self._init}/root{path}").read_text(encoding="utf-8")

    def exists(self, path: str) -> bool:
        """Whether there is such a file in it; a link counts, wherever it leads."""
        return self.status_of("sh", "-c", f"test -e '{path}' -o -L '{path}'") == 0

    def show(self, *properties: str, unit: str = "claudiad") -> dict[str, str]:
        """Properties of a unit."""
        text = self.run("systemctl", "show", unit, *(f"--property={name}" for name in properties))
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def journal(self, *words: str, unit: str = "claudiad") -> list[dict[str, Any]]:
        """What a unit and systemd about it said, oldest first."""
        text = self.run("journalctl", "-o", "json", "--no-pager", "-q", "-u", unit, *words)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def messages(self, unit: str = "claudiad") -> str:
        """The journal of a unit as text."""
        return "\n".join(str(entry.get("MESSAGE")) for entry in self.journal(unit=unit))

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
        """Wait; fails with the journal when it never comes."""
        self._wait(condition, lambda: f"{what}; the journal:\n{self.messages()[-4000:]}", seconds)

    def _wait(self, condition: Callable[[], bool], why: Callable[[], str], seconds: float = PATIENCE_S) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"not within {seconds:g} s: {why()}")
            time.sleep(0.1)

    def written(self) -> frozenset[str]:
        """Every file and folder in it that was written to since it was started; not what lives in memory."""
        upper = self._folder / "upper"
        return frozenset(f"/{path.relative_to(upper)}" for path in upper.rglob("*"))

    @staticmethod
    def was_there(path: str) -> bool:
        """Whether a file or folder is on this machine, too, which it is an overlay of."""
        return os.path.lexists(path)

    def give_it_sound(self) -> None:
        """A PulseAudio with two null sinks; the units of claudiad capture from `mic` and play into `speaker`."""
        self.write("/etc/asound.conf", _ASOUND)
        self.write("/run/systemd/system/testsound.service", _SOUND)
        for unit in ("claudiad.service", "claudia-failed@.service"):
            self.write(f"/run/systemd/system/{unit}.d/99-test-sound.conf", _WITH_SOUND)
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "start", "testsound")
        self.until(lambda: "speaker" in self._sinks(), "no sound server")

    def _sinks(self) -> str:
        return self.run("pactl", "--server=unix:/run/testsound/native", "list", "short", "sinks", check=False)

    def hear(self, wav: str) -> None:
        """Let its microphone hear a WAV file of it; returns when it has sounded."""
        self.run("paplay", "--server=unix:/run/testsound/native", "--device=mic", wav)
