"""RealtimeSTT in a process and a virtual environment of its own; started by `peer.py`, not by hand.

Its argument names the request, a JSON file (`peer.listen`). It writes JSON lines: `fed` as the stream goes on, `final`
for each transcript with its time in the stream, and `end`. Without an argument it only says what is installed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, TextIO

import numpy as np

RATE = 16_000
PACKAGES = ("RealtimeSTT", "faster-whisper", "ctranslate2", "silero-vad", "webrtcvad-wheels", "torch", "numpy")
LISTENING_S = 0.5
"""Between the call that listens and the first sample."""
AFTER_S = 3.0
"""Waited for a last transcript when the stream has ended."""


class Answers:
    """JSON lines to the parent, from any thread."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def send(self, event: str, **values: Any) -> None:
        with self._lock:
            self._out.write(json.dumps({"event": event, **values}, ensure_ascii=False) + "\n")
            self._out.flush()


class SameRecogniser:
    """claudiad's recogniser as RealtimeSTT's transcription executor: the same model in the same window."""

    def __init__(self, settings: dict[str, Any]) -> None:
        from claudiad.config import SttSettings
        from claudiad.stt.engines import open_recogniser

        stt = SttSettings(**settings)
        self._recogniser = open_recogniser(stt, stt.model)
        self._result = import_module("RealtimeSTT").TranscriptionResult
        self._recogniser.recognise((np.random.default_rng(0).standard_normal(RATE) * 3000).astype(np.int16))

    def transcribe(self, audio: Any, **_options: Any) -> Any:
        """`audio`: float32 samples, 1 = full scale. Options are of engines that have languages and prompts."""
        pcm = np.clip(np.rint(np.asarray(audio) * 32768.0), -32768, 32767).astype(np.int16)
        return self._result(text=self._recogniser.recognise(pcm).text)


def listen(recorder: Any, start: list[float], answers: Answers) -> None:
    """Its loop as its manual has it: one blocking call for each transcript."""
    while True:
        text = recorder.text()
        now = time.monotonic()
        answers.send("final", at_s=now - start[0], text=text or "")


def feed(recorder: Any, samples: Any, chunk: int, start: list[float], answers: Answers) -> None:
    """Each chunk when its last sample has sounded."""
    start[0] = began = time.monotonic()
    for end in range(chunk, len(samples) + 1, chunk):
        time.sleep(max(0.0, began + end / RATE - time.monotonic()))
        recorder.feed_audio(samples[end - chunk : end].tobytes(), RATE)
        if end // chunk % 50 == 0:
            answers.send("fed", seconds=end / RATE)


def serve(request: dict[str, Any], answers: Answers) -> None:
    """One request, one stream."""
    samples = np.load(request["samples"])
    options = dict(request["recorder"])
    if request["same_recogniser"] is not None:
        options["transcription_executor"] = SameRecogniser(request["same_recogniser"])
    recorder = import_module("RealtimeSTT").AudioToTextRecorder(**options)
    start = [time.monotonic()]
    threading.Thread(target=listen, args=(recorder, start, answers), daemon=True).start()
    time.sleep(LISTENING_S)
    feed(recorder, samples, request["chunk_samples"], start, answers)
    time.sleep(AFTER_S)
    answers.send("end")


def versions() -> dict[str, str]:
    """Of what it is made of. Raises PackageNotFoundError when something is missing."""
    return {name: metadata.version(name) for name in PACKAGES}


def main() -> None:
    # What libraries print goes to standard error: standard output has the answers.
    answers = Answers(os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if len(sys.argv) < 2:
        import_module("RealtimeSTT.audio_recorder")
        import_module("claudiad.stt.engines")
        answers.send("installed", versions=versions())
        return
    serve(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), answers)
    os._exit(0)  # its threads would be waited for; nothing of theirs is needed any more


if __name__ == "__main__":
    main()
