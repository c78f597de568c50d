"""Who is compared: claudiad as it ships, and RealtimeSTT as it comes and in the settings that suit it best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claudiad.config import Settings
from claudiad.stt.load import EMBEDDED


@dataclass(frozen=True, slots=True)
class Ours:
    """claudiad."""

    name: str
    turn: Mapping[str, Any]
    """Settings of `[turn]` that differ from the defaults."""

    @property
    def settings(self) -> Settings:
        base = Settings().without_models().model_dump()
        base["turn"] |= self.turn
        return Settings.model_validate(base)


@dataclass(frozen=True, slots=True)
class Theirs:
    """RealtimeSTT."""

    name: str
    options: Mapping[str, Any]
    """Of `AudioToTextRecorder`, on top of `NEEDED`."""
    same_recogniser: bool
    """Recognise with claudiad's recogniser, through its transcription executor, instead of its own engine."""

    @property
    def recorder(self) -> dict[str, Any]:
        """Everything that is given to the recorder."""
        return {**NEEDED, **self.options}


System = Ours | Theirs

NEEDED: Mapping[str, Any] = {
    "model": str(EMBEDDED),
    "language": "ja",
    "device": "cpu",
    "compute_type": "int8",
    "use_microphone": False,
    "spinner": False,
    "no_log_file": True,
    "ensure_sentence_starting_uppercase": False,
    "ensure_sentence_ends_with_period": False,
}
"""What it cannot do without here; none of it costs it time."""

BEST: Mapping[str, Any] = {
    "early_transcription_on_silence": 0.05,
    "min_length_of_recording": 0.2,
    "silero_deactivity_detection": True,
    "silero_sensitivity": 0.8,
}
"""What makes it answer sooner, and, the last, miss nothing that is said in these voices (README.md). Its early
transcription is in seconds, whatever its documentation says of milliseconds."""


def _waiting(seconds: float) -> Theirs:
    options = {**BEST, "post_speech_silence_duration": seconds}
    return Theirs(f"RealtimeSTT, {seconds:g} s", options, same_recogniser=True)


SYSTEMS: Mapping[str, System] = {
    "claudiad": Ours("claudiad", {}),
    "calm": Ours("claudiad, profile calm", {"profile": "calm"}),
    "stock": Theirs("RealtimeSTT as it comes", {}, same_recogniser=False),
    "0.6": _waiting(0.6),
    "0.3": _waiting(0.3),
    "0.1": _waiting(0.1),
}
"""By the name they are asked for. The seconds are RealtimeSTT's `post_speech_silence_duration`, 0.6 its default; 0.16 s
that confirm a silence, and what its voice detector takes to notice one, come on top."""
USUAL = ("claudiad", "stock", "0.6", "0.3", "0.1")
