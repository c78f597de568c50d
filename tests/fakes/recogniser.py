"""A recogniser that knows what was said because the test told it, and that refuses to be used wrongly."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import count

import numpy as np

from claudiad.types import SAMPLE_RATE, Pcm, Transcript
from tests.audio.sounds import voice

STEP_MS = 100
SHORTEST_MS = 300
LOUD = 600
"""Samples above this are voice, those below are the room."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one utterance is recognised as, or the exception it ends in."""

    answer: Transcript | Exception


class FakeRecogniser:
    """Each text is spoken as a voice of a length of its own, and recognised by that length.

    The contract: one call at a time, always on the same thread, never the one it was made on (the event loop's);
    int16, mono, at least 0.1 s. What breaks it is in `broken`, which every test that uses it has to look at.
    """

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.heard: list[str] = []
        """Text of every call, in order; the exception's class where there was one."""
        self.broken: list[str] = []
        self.gate = threading.Event()
        """Cleared by a test, it holds every call until it is set."""
        self.gate.set()
        self.waiting = threading.Event()
        """Set when a call has come to the gate."""
        self._lines: dict[int, Line] = {}
        self._unfinished: dict[int, Line] = {}
        self._home = threading.get_ident()
        self._thread: int | None = None
        self._busy = threading.Lock()

    def says(self, text: str, *, oov: float = 0.0, dropped: str | None = None, fault: Exception | None = None) -> Pcm:
        """Sound that will be recognised as this; `fault` is raised instead."""
        ms = next(m for m in count(SHORTEST_MS, STEP_MS) if m not in self._lines)
        self._lines[ms] = Line(fault or Transcript(text, "", 0.9, oov, dropped))
        return voice(ms, amplitude=9000)

    def takes(self, ms: int, text: str, *, unfinished: bool = False) -> None:
        """From now on sound of this length, pauses inside it included, is recognised as `text`.

        `unfinished`: sound behind a pre-roll that goes on to the last sample, as the stop listener hears it. By
        default nothing is recognised in that.
        """
        assert ms % STEP_MS == 0, f"lengths are told apart by {STEP_MS} ms"
        lines = self._unfinished if unfinished else self._lines
        lines[ms] = Line(Transcript(text, "", 0.9, 0.0, None))

    def hold(self) -> None:
        """From the next call on, hold every one at the gate; `waiting` tells when it has come there."""
        self.waiting.clear()
        self.gate.clear()

    @property
    def busy(self) -> bool:
        """A call is under way, or held at the gate."""
        return self._busy.locked()

    def recognise(self, pcm: Pcm) -> Transcript:
        """See `claudiad.stt.base.Recogniser`."""
        if not self._busy.acquire(blocking=False):
            self.broken.append("two calls at a time")
            raise AssertionError("two calls at a time")
        try:
            self._check(pcm)
            self.waiting.set()
            assert self.gate.wait(10.0), "the test forgot to open the gate"
            return self._answer(pcm)
        finally:
            self._busy.release()

    def _check(self, pcm: Pcm) -> None:
        here = threading.get_ident()
        if here == self._home:
            self.broken.append("called on the event loop's thread")
        if self._thread not in (None, here):
            self.broken.append("called on a second thread")
        self._thread = here
        if pcm.dtype != np.int16 or pcm.ndim != 1 or len(pcm) < SAMPLE_RATE // 10:
            self.broken.append(f"given {pcm.dtype} of shape {pcm.shape}")

    def _answer(self, pcm: Pcm) -> Transcript:
        loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > LOUD)
        ms = (loud[-1] - loud[0]) * 1000 / SAMPLE_RATE if len(loud) else 0
        going_on = len(loud) > 0 and len(pcm) - loud[-1] < SAMPLE_RATE // 20 <= loud[0]
        lines = self._unfinished if going_on else self._lines
        line = lines.get(round(ms / STEP_MS) * STEP_MS, Line(Transcript("", "", 0.0, 1.0, "silence")))
        if isinstance(line.answer, Exception):
            self.heard.append(type(line.answer).__name__)
            raise line.answer
        self.heard.append(line.answer.text)
        return line.answer
