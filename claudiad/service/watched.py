"""Engines whose every call is a heartbeat: one that never returns is noticed (`claudiad.service.heartbeats`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from claudiad.service.heartbeats import Heartbeats
from claudiad.stt.base import Recogniser
from claudiad.tts.base import Voice
from claudiad.types import Pcm, Transcript

CALL_S: Final = 12.0
"""Longest call of an engine that has been quick so far: with 8 s for a whole turn, nobody waits for what takes more."""
SLOWER: Final = 5.0
"""An engine that is slow on this computer may be so many times slower than ever before, if that is more."""


class Watched:
    """The calls of one engine, which come one after the other. Its first call, the warm-up, is usually its slowest."""

    def __init__(self, heartbeats: Heartbeats, stage: str) -> None:
        self._heartbeats = heartbeats
        self._stage = stage
        self._longest_s = 0.0

    @property
    def deadline_s(self) -> float:
        """What the next call may take."""
        return max(CALL_S, SLOWER * self._longest_s)

    @contextmanager
    def call(self) -> Iterator[None]:
        """For as long as it runs."""
        began = time.monotonic()
        with self._heartbeats.working(self._stage, self.deadline_s):
            yield
        self._longest_s = max(self._longest_s, time.monotonic() - began)


class WatchedRecogniser:
    """A recogniser whose calls are watched."""

    def __init__(self, recogniser: Recogniser, heartbeats: Heartbeats, stage: str) -> None:
        self._recogniser = recogniser
        self._watched = Watched(heartbeats, stage)

    @property
    def name(self) -> str:
        return self._recogniser.name

    def recognise(self, pcm: Pcm) -> Transcript:
        with self._watched.call():
            return self._recogniser.recognise(pcm)


class WatchedVoice:
    """A voice whose calls are watched."""

    def __init__(self, voice: Voice, heartbeats: Heartbeats) -> None:
        self._voice = voice
        self._watched = Watched(heartbeats, "voice")

    @property
    def name(self) -> str:
        return self._voice.name

    @property
    def sample_rate(self) -> int:
        return self._voice.sample_rate

    def synthesise(self, clause: str) -> Pcm:
        with self._watched.call():
            return self._voice.synthesise(clause)
