"""The daemon as its owner runs it: a process, a configuration file, a sound server, and the lines it logs."""

from __future__ import annotations

import json
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.real.pulse import Pulse

ROOT = Path(__file__).parents[2]


class Daemon:
    """`claudiad run`; `expect` waits for its lines."""

    def __init__(self, pulse: Pulse, folder: Path, toml: str = "") -> None:
        self.state = folder / "state"
        config = folder / "claudiad.toml"
        config.write_text(f'[audit]\ndirectory = "{self.state}"\n{toml}', encoding="utf-8")
        run = folder / "run"
        run.mkdir(exist_ok=True)
        env = pulse.env | {
            "XDG_STATE_HOME": str(folder / "xdg"),
            "RUNTIME_DIRECTORY": str(run),
            "PYTHONUNBUFFERED": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "claudiad.app.cli", "run", "--config", str(config)],
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.seen: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def expect(self, pattern: str, seconds: float = 30.0) -> str:
        """The next line in which `pattern` is found; fails with the log when it never comes."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                pytest.fail(f"no line with {pattern!r}; the log:\n" + "\n".join(self.seen[-40:]))
            self.seen.append(line)
            if re.search(pattern, line):
                return line

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(timeout=20)
        self._reader.join()
        while not self._lines.empty() and (line := self._lines.get()) is not None:
            self.seen.append(line)
        return status

    def audit(self) -> list[dict[str, Any]]:
        """The audit log so far."""
        path = self.state / "audit.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
