"""What is being played, sample by sample, on the clock's time line: what an echo canceller takes away.

The device's thread only copies and appends. The loop, which reads, converts to 16 kHz: in one go over each new
block and the end of the one before it, so that nothing is held back, as a converter with state would.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

from claudiad.audio.resample import convert
from claudiad.types import SAMPLE_RATE, Pcm

KEEP_S = 10.0
JOIN_S = 0.005
"""A block this close to the end of the one before follows it without a gap."""
_CONTEXT_S = 0.01  # soxr's HQ looks 9 ms to either side of a sample


@dataclass(frozen=True, slots=True)
class _Block:
    at: float
    rate: int
    pcm: Pcm


@dataclass(slots=True)
class _Span:
    """A time during which something was to be heard."""

    start: float
    end: float


class PlaybackReference:
    """The last seconds of what was made to sound; zero where nothing was. One writer, one reader, any threads."""

    def __init__(self, keep_s: float = KEEP_S) -> None:
        """Args: `keep_s` is how far back `read` and `audible` know."""
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._new: deque[_Block] = deque()
        self._new_s = 0.0
        self._spans: deque[_Span] = deque()
        # From here on the reader's own.
        self._sound = np.zeros(round(keep_s * SAMPLE_RATE), np.int16)
        self._end = 0
        self._last: _Block | None = None

    def write(self, pcm: Pcm, rate: int, at: float) -> None:
        """These samples, mono int16 at `rate` Hz, are heard from clock time `at` on. Copies them, and is quick."""
        if not len(pcm):
            return
        block = _Block(at, rate, pcm.copy())
        audible = bool(pcm.any())
        with self._lock:
            self._new.append(block)
            self._new_s += len(pcm) / rate
            while self._new_s > self._keep_s and len(self._new) > 1:  # nobody reads
                old = self._new.popleft()
                self._new_s -= len(old.pcm) / old.rate
            if audible:
                self._note(at, at + len(pcm) / rate)

    def audible(self, at: float, tail_s: float = 0.0) -> bool:
        """Something was played at clock time `at`, or within `tail_s` before it."""
        with self._lock:
            return any(span.start < at and span.end >= at - tail_s for span in self._spans)

    def read(self, start_at: float, samples: int) -> Pcm:
        """What was played in the air from clock time `start_at` on: int16, shape (`samples`,), 16 kHz."""
        with self._lock:
            new, self._new, self._new_s = self._new, deque(), 0.0
        for block in new:
            self._take(block)
        start = round(start_at * SAMPLE_RATE)
        out = np.zeros(samples, np.int16)
        first, last = max(start, self._end - len(self._sound)), min(start + samples, self._end)
        if first < last:
            out[first - start : last - start] = self._sound[np.arange(first, last) % len(self._sound)]
        return out

    def _note(self, start: float, end: float) -> None:
        spans = self._spans
        if spans and start >= spans[-1].start and start - spans[-1].end < JOIN_S:
            spans[-1].end = max(spans[-1].end, end)
        else:
            spans.append(_Span(start, end))
        while spans[0].end < end - self._keep_s:
            spans.popleft()

    def _take(self, block: _Block) -> None:
        """Convert a block, together with the end of the one it follows, and put it in its place."""
        skip, last = 0, self._last
        if last is not None and last.rate == block.rate:
            due = last.at + len(last.pcm) / last.rate
            if abs(due - block.at) < JOIN_S:
                # Whole steps, so that the first sample of the context falls on a sample at 16 kHz.
                step = block.rate // math.gcd(block.rate, SAMPLE_RATE)
                before = max(0, math.ceil((len(last.pcm) - 2 * _CONTEXT_S * block.rate) / step)) * step
                context = last.pcm[before:]
                skip = round(min(_CONTEXT_S, len(context) / block.rate) * SAMPLE_RATE) if before else 0
                block = _Block(last.at + before / last.rate, block.rate, np.concatenate([context, block.pcm]))
        if skip == 0:
            block = _Block(round(block.at * SAMPLE_RATE) / SAMPLE_RATE, block.rate, block.pcm)
        self._last = block
        self._put(round(block.at * SAMPLE_RATE) + skip, convert(block.pcm, block.rate)[skip:])

    def _put(self, start: int, pcm: Pcm) -> None:
        size = len(self._sound)
        pcm, start = pcm[-size:], start + max(0, len(pcm) - size)
        if start > self._end:
            self._sound[np.arange(max(self._end, start - size), start) % size] = 0
        end = start + len(pcm)
        self._sound[np.arange(start, end) % size] = pcm
        self._end = max(self._end, end)
