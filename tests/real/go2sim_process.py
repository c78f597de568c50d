"""The simulated Go2 as its user runs it: a process, its log, and faults typed into it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from tests.real.domains import free_domain

ROOT = Path(__file__).parents[2]

Line = dict[str, Any]


class Go2Sim:
    """`python -m claudiad.go2sim --interface lo`, on a DDS domain of its own unless one is given.

    It is ready when the constructor returns, and ends with this process, whatever becomes of that.
    """

    def __init__(self, *arguments: str, domain: int | None = None, ready_s: float = 30.0) -> None:
        """Fails the test with what it says when it does not become ready."""
        self.domain = free_domain() if domain is None else domain
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "claudiad.go2sim", "--interface", "lo", "--domain", str(self.domain)),
                *("--exit-on-eof", *arguments),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._lines: list[Line] = []
        self.errors: list[str] = []
        self._changed = threading.Condition()
        self._over = False
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()
        try:
            self.ready = self.wait_for(lambda line: line.get("event") == "start", ready_s)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Go2Sim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def lines(self) -> list[Line]:
        """Everything it has logged so far, in order."""
        with self._changed:
            return list(self._lines)

    def calls(self, *names: str) -> list[Line]:
        """The calls it has logged so far, in order; only those of these names when there are some."""
        return [line for line in self.lines() if "api_id" in line and (not names or line["name"] in names)]

    def events(self, *kinds: str) -> list[Line]:
        """The events so far, in order; only those of these kinds when there are some."""
        return [line for line in self.lines() if "event" in line and (not kinds or line["event"] in kinds)]

    def wait_for(self, predicate: Callable[[Line], object], timeout: float, *, after: int = 0) -> Line:
        """The first line, from the `after`-th on, that the predicate likes, now or later.

        Fails with the last lines when there is none within `timeout` seconds or when the process has ended.
        """
        deadline = time.monotonic() + timeout
        seen = after
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if predicate(line):
                        return line
                seen = max(seen, len(self._lines))
                left = deadline - time.monotonic()
                if self._over or left <= 0.0:
                    break
                self._changed.wait(left)
            why = "it ended" if self._over else f"not within {timeout:g} s"
            last = "\n".join([*map(json.dumps, self._lines[-20:]), *self.errors[-20:]])
        pytest.fail(f"the simulated Go2 did not log what was waited for ({why}); its last lines:\n{last}")

    def wait_call(self, name: str, timeout: float = 10.0, *, after: int = 0) -> Line:
        """The first call of that name from the `after`-th line on, now or later."""
        return self.wait_for(lambda line: line.get("name") == name, timeout, after=after)

    def fault(self, *words: str) -> None:
        """Give it faults; they hold when this returns."""
        for word in words:
            before = len(self.lines())
            self._type(word)
            self.wait_for(lambda line, word=word: line.get("fault") == word and "event" in line, 10.0, after=before)

    def clear(self) -> None:
        """Forget all faults."""
        before = len(self.lines())
        self._type("clear")
        self.wait_for(lambda line: line.get("what") == "cleared", 10.0, after=before)

    def status(self) -> Line:
        """How things are now: posture, machine, pose (in truth), odometry, battery, running, stops, falls."""
        before = len(self.lines())
        self._type("status")
        return self.wait_for(lambda line: line.get("event") == "status", 10.0, after=before)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.process.kill()
        self.process.wait()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, timeout: float = 20.0) -> int:
        """Wait for its end; the exit status. All its lines are there then."""
        status = self.process.wait(timeout)
        for reader in self._readers:
            reader.join()
        return status

    def close(self) -> None:
        """End it however it is, and let go of its pipes."""
        self.kill()
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            line = json.loads(text)
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for text in self.process.stderr:
            self.errors.append(text.rstrip("\n"))
