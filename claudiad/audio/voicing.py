"""Is this frame speech? webrtcvad's opinion, and loud enough to stand out of the room."""

from __future__ import annotations

from typing import Protocol

from claudiad.audio.floor import NoiseFloor
from claudiad.config import EndpointSettings
from claudiad.types import SAMPLE_RATE, Pcm


class Detector(Protocol):
    """A voice activity detector with memory."""

    def __call__(self, pcm: Pcm) -> bool:
        """True when this frame sounds like speech."""
        ...


class WebRtc:
    """webrtcvad on 20 ms frames at 16 kHz. Its own hangover of some 100 ms is why level decides as well."""

    def __init__(self, aggressiveness: int) -> None:
        import webrtcvad

        self._vad = webrtcvad.Vad(aggressiveness)

    def __call__(self, pcm: Pcm) -> bool:
        return bool(self._vad.is_speech(pcm.tobytes(), SAMPLE_RATE))


class Voicing:
    """A detector and a noise floor together: True needs both."""

    def __init__(self, settings: EndpointSettings, detector: Detector | None = None) -> None:
        self._detector = detector or WebRtc(settings.aggressiveness)
        self._floor = NoiseFloor()
        self._margin_db = settings.margin_db
        self._min_level_dbfs = settings.min_level_dbfs

    @property
    def floor_dbfs(self) -> float:
        """The room's noise level."""
        return self._floor.dbfs

    def is_voiced(self, pcm: Pcm, level_dbfs: float, *, in_speech: bool) -> bool:
        """Judge the next frame; `in_speech` halves the margin, because phrases end softer than they begin."""
        sounds_like_speech = self._detector(pcm)
        floor = self._floor.update(level_dbfs, speech=sounds_like_speech or in_speech)
        margin = self._margin_db / 2 if in_speech else self._margin_db
        return sounds_like_speech and level_dbfs >= max(floor + margin, self._min_level_dbfs)
