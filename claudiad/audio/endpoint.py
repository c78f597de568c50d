"""Where an utterance begins and ends: a pure state machine fed with 20 ms frames.

Time is the count of samples, never a clock: a backlog pushed at once gives the same utterances as the same
audio in real time. Every `SpeechStarted` is followed by exactly one `UtteranceCommitted` or `SpeechDiscarded`.

    idle ──start_ms of speech within the window──► speech ──early_ms without──► pause ──hangover──► idle
                                                    ▲  └─ max_utterance_ms ─► speech      │  (commit or discard)
                                                    │     (commit, truncated)             │
                                                    └──────────── speech ────────────────┘

How long a pause may be is not for the endpointer to know: `wait` tells it, while the pause goes on, what the words so
far are worth waiting for. Until it is told, and for every new pause, it is `hangover_ms`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np

from claudiad.audio.level import dbfs, power
from claudiad.audio.voicing import Voicing
from claudiad.config import EndpointSettings
from claudiad.types import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm, Utterance

_WINDOW_MS = 100
_CONFIRM_FRAMES = 3  # inside speech, one voiced frame alone among three is a click and does not prolong it


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak."""

    sample: int
    """First sample of the first voiced frame; pre-roll is before it."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """`early_ms` of silence: perhaps the end, perhaps not. Once for each pause, and only of enough speech."""

    utterance: Utterance
    """What there is; the same `speech_end_sample` as the committed one's if nothing more is said."""


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The pause was not the end."""

    pause_ms: int
    """From the last voiced sample to the next."""


@dataclass(frozen=True, slots=True)
class UtteranceCommitted:
    """An utterance is complete."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class SpeechDiscarded:
    """What had started was no utterance."""

    reason: Literal["too short", "reset"]
    start_sample: int
    end_sample: int


Event = SpeechStarted | SpeechPaused | SpeechResumed | UtteranceCommitted | SpeechDiscarded


@dataclass(frozen=True, slots=True)
class _Heard:
    """A frame with what was judged of it."""

    pcm: Pcm
    start: int
    voiced: bool
    power: float


class Endpointer:
    """Cuts utterances out of a stream of frames."""

    def __init__(self, settings: EndpointSettings, voicing: Voicing | None = None) -> None:
        """Args: `voicing` decides which frames are speech; webrtcvad and the adaptive floor when None."""
        self._voicing = voicing or Voicing(settings)
        self._start_frames = _frames(settings.start_ms)
        self._usual_hangover = _frames(settings.hangover_ms) * FRAME_SAMPLES
        self._hangover = self._usual_hangover
        self._early = _frames(settings.early_ms) * FRAME_SAMPLES
        self._paused = False
        self._min_voiced = _frames(settings.min_speech_ms)
        self._max_samples = _frames(settings.max_utterance_ms) * FRAME_SAMPLES
        # Half the longest utterance at least stays for speech, whatever pre-roll is asked for.
        pre_roll = min(_frames(settings.pre_roll_ms), _frames(settings.max_utterance_ms) // 2)
        self._pre_roll = pre_roll * FRAME_SAMPLES
        window = max(_frames(_WINDOW_MS), self._start_frames)
        self._window: deque[_Heard] = deque(maxlen=window)
        self._history: deque[_Heard] = deque(maxlen=window + pre_roll)
        self._active = False
        self._begin = 0
        self._onset = 0
        self._piece = 0
        self._speech: list[_Heard] = []
        self._speech_floor = 0.0
        self._confirmed: set[int] = set()
        self._next = 0
        self._last_voiced = 0

    @property
    def in_speech(self) -> bool:
        """Between a `SpeechStarted` and its end."""
        return self._active

    @property
    def floor_dbfs(self) -> float:
        """The room's noise level now."""
        return self._voicing.floor_dbfs

    @property
    def last_voiced_sample(self) -> int:
        """Index just past the last voiced sample; where the stream began when there was none yet."""
        return self._last_voiced

    @property
    def silence_ms(self) -> int:
        """Audio time since the last voiced frame."""
        return (self._next - self._last_voiced) * 1000 // SAMPLE_RATE

    @property
    def speech_start_sample(self) -> int:
        """Of the utterance in progress: its first voiced sample."""
        return self._onset

    @property
    def voiced_ms(self) -> int:
        """Voiced audio in the utterance in progress."""
        return len(self._confirmed) * FRAME_MS

    @property
    def position(self) -> int:
        """Index just past the last sample pushed."""
        return self._next

    def wait(self, ms: int) -> None:
        """Let the pause in progress last this long before it is the end; takes effect with the next frame."""
        if self._paused:
            self._hangover = _frames(ms) * FRAME_SAMPLES

    @property
    def piece_start_sample(self) -> int:
        """First voiced sample since the last pause of the utterance in progress, or since its beginning."""
        return self._piece

    def current(self, start_sample: int = 0) -> Pcm:
        """The utterance in progress, pre-roll included, up to the last frame pushed; empty when there is none.

        `start_sample`: only what lies behind it.
        """
        return _join([one for one in self._speech if one.start >= start_sample])

    def push(self, frame: Frame | Pcm, *, nobody: bool = False) -> list[Event]:
        """Take the next 20 ms. `nobody`: it is known that no person speaks in it, whatever it sounds like.

        A `Frame` whose `start_sample` does not follow ends the utterance in progress: splicing over the gap
        would make a sentence nobody said. Plain samples always follow.

        Raises:
            ValueError: not exactly one frame of samples.
        """
        pcm, start = (frame.pcm, frame.start_sample) if isinstance(frame, Frame) else (frame, self._next)
        if pcm.shape != (FRAME_SAMPLES,):
            raise ValueError(f"a frame of shape {pcm.shape}; ({FRAME_SAMPLES},) is meant")
        events: list[Event] = []
        if start != self._next:
            events += self.flush()
            self._last_voiced = start
        self._next = start + FRAME_SAMPLES
        mean_square = power(pcm)
        voiced = self._voicing.is_voiced(pcm, dbfs(mean_square), in_speech=self._active) and not nobody
        heard = _Heard(pcm, start, voiced, mean_square)
        self._window.append(heard)
        if self._active:
            self._continue(heard, events)
        else:
            self._listen(heard, events)
        return events

    def flush(self) -> list[Event]:
        """End of the stream, or a gap in it: an utterance in progress ends here."""
        events: list[Event] = []
        if self._active:
            self._end(events)
        self._forget()
        return events

    def reset(self) -> list[Event]:
        """Forget the utterance in progress, if any; the room's noise floor and the sample count stay."""
        events: list[Event] = []
        if self._active:
            events.append(SpeechDiscarded("reset", self._begin, self._next))
        self._forget()
        return events

    def _listen(self, heard: _Heard, events: list[Event]) -> None:
        self._history.append(heard)
        if heard.voiced:
            self._last_voiced = self._next
        voiced = [one for one in self._window if one.voiced]
        if len(voiced) < self._start_frames:
            return
        onset = voiced[0].start
        self._start([one for one in self._history if one.start >= onset - self._pre_roll], onset)
        self._confirmed = {one.start for one in voiced}
        self._history.clear()
        events.append(SpeechStarted(onset))

    def _continue(self, heard: _Heard, events: list[Event]) -> None:
        self._speech.append(heard)
        recent = [one for one in list(self._window)[-_CONFIRM_FRAMES:] if one.voiced]
        if heard.voiced and len(recent) > 1:
            if self._paused:
                self._piece = recent[0].start
                events.append(SpeechResumed((self._piece - self._last_voiced) * 1000 // SAMPLE_RATE))
                self._go_on()
            self._confirmed.update(one.start for one in recent)
            self._last_voiced = self._next
        silence = self._next - self._last_voiced
        # A voiced frame that may yet be confirmed holds the end back: it could be the next word's first.
        if silence >= self._hangover and not heard.voiced:
            self._end(events)
        elif self._next - self._begin >= self._max_samples:
            self._commit(events, truncated=True)
            # What follows belongs to the next utterance, which begins right here, also within a pause.
            self._start([], self._next)
            events.append(SpeechStarted(self._next))
        elif silence >= self._early and not (self._paused or heard.voiced) and len(self._confirmed) >= self._min_voiced:
            self._paused = True
            events.append(SpeechPaused(self._utterance(truncated=False)))

    def _go_on(self) -> None:
        """The next pause is a new one."""
        self._paused = False
        self._hangover = self._usual_hangover

    def _start(self, heard: list[_Heard], onset: int) -> None:
        self._active = True
        self._onset = self._piece = onset
        self._go_on()
        self._speech = heard
        self._begin = heard[0].start if heard else self._next
        self._speech_floor = self._voicing.floor_dbfs
        self._confirmed = set()

    def _end(self, events: list[Event]) -> None:
        self._commit(events, truncated=False)
        # The silence after it may be the next one's pre-roll; its speech may not be recognised twice.
        quiet = [one for one in self._speech if one.start >= self._last_voiced]
        self._forget()
        self._history.extend(quiet)

    def _commit(self, events: list[Event], *, truncated: bool) -> None:
        if len(self._confirmed) < self._min_voiced:
            events.append(SpeechDiscarded("too short", self._begin, self._next))
        else:
            events.append(UtteranceCommitted(self._utterance(truncated=truncated)))

    def _utterance(self, *, truncated: bool) -> Utterance:
        powers = [one.power for one in self._speech if one.start in self._confirmed]
        return Utterance(
            pcm=_join(self._speech),
            start_sample=self._begin,
            speech_start_sample=self._onset,
            speech_end_sample=self._last_voiced,
            commit_sample=self._next,
            voiced_ms=len(powers) * FRAME_MS,
            level_dbfs=dbfs(sum(powers) / len(powers)),
            floor_dbfs=self._speech_floor,
            truncated=truncated,
        )

    def _forget(self) -> None:
        self._active = False
        self._go_on()
        self._speech = []
        self._confirmed = set()
        self._window.clear()
        self._history.clear()


def _frames(ms: int) -> int:
    """Whole frames that last at least this long."""
    return -(-ms // FRAME_MS)


def _join(heard: list[_Heard]) -> Pcm:
    return np.concatenate([one.pcm for one in heard]) if heard else np.zeros(0, np.int16)
