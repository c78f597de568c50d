"""Values that cross package borders. Units are in the names; nothing here does anything.

Audio inside the program is always mono, 16 kHz, int16, in frames of 20 ms (`FRAME_SAMPLES` samples).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE * FRAME_MS // 1000

Pcm: TypeAlias = NDArray[np.int16]
"""Mono samples, int16, shape (n,). At `SAMPLE_RATE` unless the name says otherwise."""

Route = Literal["emergency", "hotpath", "grammar", "motion", "semantic", "cache", "llm", "cloud", "fallback", "none"]
Kind = Literal["action", "dialog", "dialog_with_action", "none"]


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms from a microphone."""

    pcm: Pcm
    """int16, shape (`FRAME_SAMPLES`,)."""
    start_sample: int
    """Index of the first sample since the stream was opened, without gaps: audio time is this, never a clock."""
    captured_at: float
    """Clock time, seconds, at which the last sample of the frame was in the air (best estimate)."""


class Posture(StrEnum):
    """What the robot's body is doing while it does nothing."""

    STANDING = "standing"
    SITTING = "sitting"
    LYING = "lying"
    DAMPED = "damped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of speech cut from the microphone, pre-roll and hangover included."""

    pcm: Pcm
    start_sample: int
    """Index of `pcm[0]` in the stream since it was opened."""
    speech_start_sample: int
    """Index of the first voiced sample; the pre-roll lies before it."""
    speech_end_sample: int
    """Index just past the last voiced sample: the zero of the turn's latency ledger."""
    commit_sample: int
    """Index up to which `pcm` reaches: where the endpointer committed (speech end + hangover, or the length limit), or,
    in a pause, where the stream is."""
    voiced_ms: int
    level_dbfs: float
    """Mean level of the voiced frames."""
    floor_dbfs: float
    """The room's noise level when the utterance began."""
    truncated: bool = False
    """True when the maximum length cut it, not silence."""

    def with_silence(self, ms: int) -> Pcm:
        """The samples with at least this much silence behind the last voiced one, zeros where there is less."""
        missing = ms * SAMPLE_RATE // 1000 - (self.commit_sample - self.speech_end_sample)
        return np.concatenate([self.pcm, np.zeros(missing, np.int16)]) if missing > 0 else self.pcm


def joined(first: Utterance, second: Utterance) -> Utterance:
    """Two utterances of one stream as one, zeros for what lies between them and belongs to neither."""
    gap = max(0, second.start_sample - first.commit_sample)
    seen = max(0, first.commit_sample - second.start_sample)
    voiced = first.voiced_ms + second.voiced_ms
    return replace(
        second,
        pcm=np.concatenate([first.pcm, np.zeros(gap, np.int16), second.pcm[seen:]]),
        start_sample=first.start_sample,
        speech_start_sample=first.speech_start_sample,
        voiced_ms=voiced,
        level_dbfs=(first.level_dbfs * first.voiced_ms + second.level_dbfs * second.voiced_ms) / max(1, voiced),
        floor_dbfs=first.floor_dbfs,
        truncated=first.truncated or second.truncated,
    )


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was recognised in one utterance."""

    text: str
    """As a person would write it, as far as the recogniser can."""
    reading: str
    """Katakana as pronounced, when the recogniser works in kana; else empty."""
    confidence: float
    """0..1, from the decoder's mean log-probability."""
    oov: float
    """Out-of-vocabulary score: 0 = sounds like the model's own language, 1 = like nothing it knows."""
    dropped: str | None = None
    """Why nothing is to be done with it (`silence`, `too quiet`, `hallucination`, `out of vocabulary`), or None."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step for the robot: a name from the registry with its id and its clamped parameters."""

    name: str
    api_id: int
    params: Mapping[str, float | int | bool] = field(default_factory=dict)
    inserted: bool = False
    """True when safety put it there (a posture the next step needs)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action that was understood and not done; `reason` is Japanese, for the person."""

    name: str
    api_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the router made of one text. Pure data: nothing has happened yet."""

    text: str
    route: Route
    kind: Kind
    actions: tuple[Action, ...]
    reply: str
    """Japanese for the voice; empty = say nothing."""
    confidence: float
    rule: str
    """Which phrase or rule matched, for people who ask why."""
    latch: bool = False
    """A stop after which nothing moves until an explicit reset."""
    release: bool = False
    """The explicit reset of a latch."""
    asked: tuple[Action, ...] = ()
    """What `reply` asks back about: a yes in the next utterance does it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision may depend on besides the words and the robot; nothing in it is looked up, all is given."""

    hour: int | None = None
    """Local hour, 0–23, for greetings; None: any."""
    last: tuple[Action, ...] = ()
    """What the last command did, for もう一回."""
    asked: tuple[Action, ...] = ()
    """`Decision.asked` of the turn before."""


@dataclass(frozen=True, slots=True)
class RobotState:
    """A snapshot of the robot, as the robot itself reported it."""

    posture: Posture
    battery: int
    """State of charge, percent."""
    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    """Odometry: metres and radians, x forward and y left at start."""
    running: str | None = None
    """Name of the action in progress."""
    age_ms: float = 0.0
    """Time since the robot reported this."""
