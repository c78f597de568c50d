"""Somebody speaks while the robot does: its voice is lowered at once, pauses, and goes on if it was nothing.

Whether it was something is for the conversation to say: a real utterance cancels the reply. After a cough, a laugh, a
door or an あいづち nobody cancels, and the voice goes on from the clause it was in, `resume_ms` after it paused.
"""

from __future__ import annotations

from claudiad.audio.endpoint import Endpointer
from claudiad.clock import Clock
from claudiad.config import TurnSettings
from claudiad.tts.mouth import Mouth

MOST_PAUSES = 2
"""Of one reply. A television talks for hours: after this many interruptions that were nothing, the voice is only
lowered."""


class BargeIn:
    """Watches the utterance in progress, frame by frame."""

    def __init__(self, mouth: Mouth, settings: TurnSettings, clock: Clock) -> None:
        self._mouth = mouth
        self._settings = settings
        self._clock = clock
        self._ducked = False
        self._paused_at = 0.0
        self._pauses = 0

    def listen(self, endpointer: Endpointer, *, undecided: bool) -> None:
        """Called with every frame. `undecided`: something said is not judged yet."""
        mouth = self._mouth
        if not mouth.speaking:
            self._pauses = 0
        if not self._settings.barge_in:
            return
        self._duck(mouth.speaking and endpointer.in_speech)
        if endpointer.in_speech and endpointer.voiced_ms >= self._settings.barge_in_ms:
            self._pause()
        elif mouth.paused and not (endpointer.in_speech or undecided) and self._long_enough():
            mouth.resume()

    def nothing(self) -> None:
        """What was heard was the robot itself: there is nobody to wait for."""
        self._mouth.resume()

    def _long_enough(self) -> bool:
        return self._clock.now() - self._paused_at >= self._settings.resume_ms / 1000.0

    def _duck(self, down: bool) -> None:
        if down != self._ducked:
            self._ducked = down
            self._mouth.duck(down=down)

    def _pause(self) -> None:
        if self._mouth.speaking and not self._mouth.paused and self._pauses < MOST_PAUSES:
            self._pauses += 1
            self._paused_at = self._clock.now()
            self._mouth.pause()
