"""RealtimeSTT listens to the stream, in a process and a virtual environment of its own: its torch never comes here."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any, TextIO

import numpy as np

from bench.peers.realtimestt.finals import Final
from bench.peers.realtimestt.stream import Stream
from bench.peers.realtimestt.systems import Theirs
from claudiad.config import SttSettings
from claudiad.errors import ClaudiaError, EngineMissing
from claudiad.types import FRAME_SAMPLES

ROOT = Path(__file__).resolve().parents[3]
INSTALL = "bench/peers/realtimestt/install"
PYTHON = ROOT / "build" / "peers" / "realtimestt" / "bin" / "python"
LOG = ROOT / "build" / "peers" / "realtimestt.log"
PATIENCE_S = 120.0
"""For its start and its end, beyond the length of the stream."""


class PeerFailed(ClaudiaError):
    """RealtimeSTT was installed and did not do it; the message says where it says why."""

    code = "peer"


def versions() -> dict[str, str]:
    """What is installed. Raises EngineMissing, with the command that installs it, when it is not all there."""
    if not PYTHON.is_file():
        raise EngineMissing(f"RealtimeSTT is not installed (there is no {PYTHON}); run: {INSTALL}")
    with _log() as log, _process((), log, PATIENCE_S) as process:
        for event in _events(process):
            found: dict[str, str] = event["versions"]
            return found
    raise EngineMissing(f"RealtimeSTT is not all there ({_last_words()}); run: {INSTALL}")


def listen(system: Theirs, stt: SttSettings, stream: Stream, progress: Callable[[float], None]) -> list[Final]:
    """Everything RealtimeSTT made of the stream, at the speed of sound. Raises PeerFailed."""
    finals: list[Final] = []
    with tempfile.TemporaryDirectory() as name, _log() as log:
        folder = Path(name)
        np.save(folder / "stream.npy", stream.samples)
        request = {
            "samples": str(folder / "stream.npy"),
            "chunk_samples": FRAME_SAMPLES,
            "recorder": system.recorder,
            "same_recogniser": stt.model_dump() if system.same_recogniser else None,
        }
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        with _process((str(folder / "request.json"),), log, stream.seconds + PATIENCE_S) as process:
            for event in _events(process):
                if event["event"] == "final":
                    finals.append(Final(event["at_s"], event["text"]))
                elif event["event"] == "fed":
                    progress(event["seconds"])
                elif event["event"] == "end":
                    return finals
    raise PeerFailed(f"{system.name} ended before the stream did ({_last_words()}); all it said: {LOG}")


def _events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """What the worker says, until it ends."""
    for line in process.stdout or ():
        yield json.loads(line)


@contextmanager
def _process(arguments: Sequence[str], log: TextIO, longest_s: float) -> Iterator[subprocess.Popen[str]]:
    """The worker; killed when it takes too long, and on the way out."""
    cores = str(len(os.sched_getaffinity(0)))  # CTranslate2 would take four threads on two cores, and be slower
    process = subprocess.Popen(
        [str(PYTHON), "-m", "bench.peers.realtimestt.worker", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": cores, "HF_HUB_OFFLINE": "1"},
        cwd=LOG.parent,  # nothing it may leave behind is left in the source
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    timer = Timer(longest_s, process.kill)
    timer.start()
    try:
        with process:
            try:
                yield process
            finally:
                process.kill()
    finally:
        timer.cancel()


@contextmanager
def _log() -> Iterator[TextIO]:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        yield log


def _last_words() -> str:
    lines = [line for line in LOG.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
