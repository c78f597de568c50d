"""The robot's own voice out of what its microphone hears, before anything else listens.

What is played and what is heard are laid on one time line; a filter learns the way between them and takes away what
it knows to be echo (`AdaptiveFilter`). Whether what is left is a voice is told apart (`DoubleTalk`): the sound itself
is not touched any further, because a recogniser hears holes better than it hears with them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from claudiad.audio.adaptive import AdaptiveFilter
from claudiad.audio.audible import Audible
from claudiad.audio.double_talk import DoubleTalk
from claudiad.audio.floor import NoiseFloor
from claudiad.audio.level import level_dbfs
from claudiad.audio.reference import PlaybackReference
from claudiad.audio.timeline import Timeline
from claudiad.types import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm

log = logging.getLogger(__name__)

TAIL_S = 2.0
"""This long after the last sound there is no echo left to cancel."""
LEAD_S = 0.02
"""The reference is read this much early: what a device reports as its latency may be a buffer too much, and an echo
that seems to come before its cause cannot be learnt."""

_SILENCE = np.zeros(FRAME_SAMPLES, np.int16)

Canceller = Callable[[Pcm, Pcm], Pcm]
"""Heard, played → heard without echo; 20 ms each. Remembers the way between them."""


class EchoCanceller:
    """Every frame of the microphone passes through it; one user, one thread."""

    def __init__(
        self,
        reference: PlaybackReference,
        *,
        enabled: bool = True,
        make: Callable[[], Canceller] = AdaptiveFilter,
    ) -> None:
        """Args: `enabled` False lets everything through."""
        self._reference = reference
        self._canceller: Canceller | None = make() if enabled else None
        self._timeline = Timeline(SAMPLE_RATE)
        self._double_talk = DoubleTalk()
        self._audible = Audible()
        self._floor = NoiseFloor()
        self._suppressed_db = 0.0
        self._echo_only = False

    @property
    def suppressed_db(self) -> float:
        """Level of the last frame as heard minus its level as cancelled; 0 for one that was let through."""
        return self._suppressed_db

    @property
    def echo_only(self) -> bool:
        """Nobody spoke in the last frame but the robot: whatever it sounds like, it is not voiced."""
        return self._echo_only

    def load(self) -> None:
        """What the first sound would pay for: numpy's and soxr's own set-up."""
        DoubleTalk().somebody_speaks(_SILENCE, AdaptiveFilter()(_SILENCE, _SILENCE), _SILENCE)

    def process(self, frame: Frame) -> Frame:
        """The frame without the robot's own voice; the same object while nothing is played. Never raises."""
        first_at = self._timeline.time_of(frame.start_sample, frame.captured_at - FRAME_MS / 1000.0)
        self._suppressed_db, self._echo_only = 0.0, False
        if self._canceller is None:
            return frame
        level = level_dbfs(frame.pcm)
        room = self._floor.update(level, speech=True)  # somebody may speak: only what is always there counts
        if not self._reference.audible(frame.captured_at + LEAD_S, TAIL_S + LEAD_S):
            return frame
        played = self._reference.read(first_at + LEAD_S, FRAME_SAMPLES)
        try:
            left = self._canceller(frame.pcm, played)
        except Exception:  # hearing must go on
            self._canceller = None
            log.exception("echo cancellation failed and is off from now on")
            return frame
        somebody = self._double_talk.somebody_speaks(frame.pcm, left, played)
        if not self._audible.judge(level, level_dbfs(played), room):
            return frame
        self._suppressed_db, self._echo_only = level - level_dbfs(left), not somebody
        return replace(frame, pcm=left)
