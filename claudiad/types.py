"""Values that cross package borders. Units are in the names; nothing here does anything.

Audio inside the program is always mono, 16 kHz, int16, in frames of 20 ms (`FRAME_SAMPLES` samples).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    speech_end_sample: int
    """Index just past the last voiced sample: the zero of the turn's latency ledger."""
    commit_sample: int
    """Index at which the endpointer committed (speech end + hangover, or the length limit)."""
    voiced_ms: int
    level_dbfs: float
    """Mean level of the voiced frames."""
    floor_dbfs: float
    """The room's noise level when the utterance began."""
    truncated: bool = False
    """True when the maximum length cut it, not silence."""


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
