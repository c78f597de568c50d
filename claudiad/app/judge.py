"""What one utterance is: a stop, something to drop, or a decision. Judges; does nothing.

In this order, and nothing later can overrule an earlier point:

1. a stop, whatever else is going on, whatever the wake phrase or the vocabulary score says;
2. what was dropped (silence, hallucination, too quiet, unknown words, the robot's own voice) moves nothing;
3. without the name, when the name is needed, nothing happens;
4. the router decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from claudiad.app.parts import Parts
from claudiad.brain.emergency import StopMatch
from claudiad.brain.own_voice import is_own_voice
from claudiad.brain.reading import reading
from claudiad.types import Context, Decision, RobotState, Transcript

STOP_OOV = 0.9
"""With nothing to stop, a stop word is still believed up to this score: a needless stop costs nothing."""

EXACT = 0.95
"""From which confidence words are known without talk around them."""
OWN_TAIL_S = 0.3
"""How long after its end the voice may still be heard: the sound device's latency and the room. Nobody answers
sooner."""

SPEAKING_OOV = 0.997
"""The same while it speaks. Coughs and laughs that sound like 止めて have 0.999 and more (measured)."""

OWN_VOICE = "own voice"
BACKCHANNEL = "backchannel"
STOPPED = "stopped"
"""A stop came between its being said and its being understood."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one utterance turned out to be."""

    decision: Decision | None
    dropped: str | None
    transcript: Transcript
    stop: StopMatch | None = None
    reply: str = ""
    """What to say once it stands, instead of the usual."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision was made on besides the words: it holds for as long as this is the same."""

    state: RobotState
    context: Context


class Judge:
    """Judges transcripts for one conversation, in the situation of the moment."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._oov_threshold = parts.settings.stt.oov_threshold

    def basis(self) -> Basis:
        """The situation now; the age of the robot's report is no part of it."""
        parts = self._parts
        hour = datetime.now().astimezone().hour
        return Basis(replace(parts.robot.state(), age_ms=0.0), parts.mind.context(parts.clock.now(), hour))

    def judge(
        self,
        transcript: Transcript,
        begun_at: float,
        *,
        stopped: StopMatch | None = None,
        addressed: bool = False,
        early: Decision | None = None,
    ) -> Judged:
        """Judge what was recognised of an utterance that began at clock time `begun_at`.

        `stopped`: what the stop listener has stopped the robot for in this very utterance. It was a stop, unless all of
        the words are an exact command (止まって、座って). `addressed`: it goes on with what was addressed to the robot.
        `early`: a decision on the same words and the same basis, which stands.
        """
        if (stop := self.stop_in(transcript, stopped=stopped is not None)) is not None:
            return Judged(None, None, transcript, stop)
        reason = self._reason_to_drop(transcript, begun_at, addressed=addressed)
        judged = Judged(None, reason, transcript)
        if reason is None:
            judged = self._decided(early or self.decide(transcript.text), transcript)
        if stopped is not None and judged.stop is None and not _exact_command(judged.decision):
            return Judged(None, None, transcript, stopped)
        return judged

    def decide(self, text: str) -> Decision:
        """The router's decision on a text, here and now."""
        parts = self._parts
        return parts.mind.decide(text, parts.robot.state(), parts.clock.now(), datetime.now().astimezone().hour)

    def typed(self, text: str) -> Judged:
        """A sentence that was written: no doubt about its words, and it is meant for the robot."""
        transcript = Transcript(text, "", 1.0, 0.0, None)
        if (stop := self.stop_in(transcript)) is not None:
            return Judged(None, None, transcript, stop)
        return self._decided(self.decide(text), transcript)

    def stop_in(self, transcript: Transcript, *, stopped: bool = False) -> StopMatch | None:
        """A stop, believed on weaker evidence while there is something to stop, or was until this stopped it."""
        parts = self._parts
        moving = parts.dispatcher.running is not None or parts.dispatcher.unsettled or stopped
        match = parts.stops.find_stop(transcript.text, moving=moving) or self._over_its_voice(transcript)
        return match if match is not None and self._may_be_stop(transcript, moving=moving) else None

    def _over_its_voice(self, transcript: Transcript) -> StopMatch | None:
        """にか止まれ, ずとっぷ: its own voice must neither hide nor distort a stop. It says no stop word itself."""
        if not self._parts.mouth.speaking:
            return None
        match = self._parts.stops.find_stop(transcript.text, moving=True)
        return match if match is not None and match.rule in ("end", "near") else None

    def _may_be_stop(self, transcript: Transcript, *, moving: bool) -> bool:
        """Anything is believed while it moves; a cough, which may sound like 止めて, must not end what it says."""
        parts = self._parts
        if moving or parts.settings.robot.engine == "go2":
            return True
        limit = SPEAKING_OOV if parts.mouth.speaking else STOP_OOV
        return transcript.dropped is None and transcript.oov <= max(limit, self._oov_threshold)

    def believes(self, transcript: Transcript) -> bool:
        """Whether these are words, and not something that sounds like none the recogniser knows."""
        return transcript.dropped is None and transcript.oov <= self._oov_threshold

    def is_own(self, transcript: Transcript, begun_at: float) -> bool:
        """Whether this is what the voice was saying while it was heard, or just before."""
        return is_own_voice(transcript.text, self._parts.mouth.said_since(begun_at - OWN_TAIL_S))

    def _reason_to_drop(self, transcript: Transcript, begun_at: float, *, addressed: bool) -> str | None:
        parts = self._parts
        if transcript.dropped:
            return transcript.dropped
        if self.is_own(transcript, begun_at):
            return OWN_VOICE
        if transcript.oov > self._oov_threshold:
            return "out of vocabulary"
        if not addressed and not parts.wake.admit(reading(transcript.text), parts.clock.now()):
            return "not addressed"
        return None

    def _decided(self, decision: Decision, transcript: Transcript) -> Judged:
        if decision.route == "emergency" and decision.actions:  # 踊らないで, while it dances
            stop = StopMatch(decision.text, decision.latch, decision.rule, decision.confidence)
            return Judged(None, None, transcript, stop, decision.reply)
        return Judged(decision, None, transcript)


def _exact_command(decision: Decision | None) -> bool:
    return decision is not None and bool(decision.actions) and decision.confidence >= EXACT
