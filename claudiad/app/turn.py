"""One turn: from a committed utterance to the last motion and the last sound.

What is heard is judged here, in this order, and nothing later can overrule an earlier point:

1. a stop acts at once, whatever else is going on, whatever the wake phrase or the vocabulary score says;
2. what was dropped (silence, hallucination, too quiet, unknown words) moves nothing;
3. without the name, when the name is needed, nothing happens;
4. the router decides, safety compiles, the dispatcher moves, the voice answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from claudiad.app.ears import Heard
from claudiad.app.ledger import Ledger, Outcome, RefusedStep, Step, TurnRecord
from claudiad.app.parts import Parts
from claudiad.brain.emergency import StopMatch
from claudiad.brain.reading import reading
from claudiad.brain.wording import LATCHED, STOPPED
from claudiad.robot.base import Status
from claudiad.robot.dispatcher import StepResult
from claudiad.types import Action, Decision, Refusal, Transcript, Utterance

log = logging.getLogger(__name__)

STOP_OOV = 0.9
"""With nothing to stop, a stop word is still believed up to this score: a needless stop costs nothing."""
STOP_FAILED_REPLY = "止まれと伝えましたが、ロボットから返事がありません。"


@dataclass(frozen=True, slots=True)
class Judged:
    """What one utterance turned out to be."""

    decision: Decision | None
    dropped: str | None
    transcript: Transcript
    stop: StopMatch | None = None
    reply: str = ""
    """What to say once it stands, instead of the usual."""


class Turn:
    """Carries one utterance through; `run` returns its record and never raises for what a turn can meet."""

    def __init__(
        self,
        number: int,
        utterance: Utterance,
        speech_end_at: float,
        parts: Parts,
        broke_in: Callable[[], bool] = lambda: False,
    ) -> None:
        """Args: `broke_in` says whether the stop listener has already stopped the robot for this very utterance."""
        self.number = number
        self.utterance = utterance
        self._parts = parts
        self._broke_in = broke_in
        self.ledger = Ledger(speech_end_at)
        age = max(0.0, parts.clock.now() - speech_end_at)
        self._started = (datetime.now(UTC).astimezone() - timedelta(seconds=age)).isoformat(timespec="milliseconds")

    async def listen(self) -> Judged:
        """Recognise and decide; has no effect but a stop's."""
        parts, clock = self._parts, self._parts.clock
        self.ledger.mark("endpoint", clock.now())
        if parts.ears.separate:
            heard_stop = await parts.ears.hear_stop(self.utterance.pcm)
            if (stop := self._stop_in(heard_stop)) is not None:
                self._mark_stt(heard_stop)
                return Judged(None, None, heard_stop.transcript, stop)
        heard = await parts.ears.hear(self.utterance.pcm)
        self._mark_stt(heard)
        transcript = heard.transcript
        if (stop := self._stop_in(heard)) is not None:
            return Judged(None, None, transcript, stop)
        if transcript.dropped:
            return Judged(None, transcript.dropped, transcript)
        if transcript.oov > parts.settings.stt.oov_threshold:
            return Judged(None, "out of vocabulary", transcript)
        if not parts.wake.admit(reading(transcript.text), clock.now()):
            return Judged(None, "not addressed", transcript)
        return self._decide(transcript)

    def _decide(self, transcript: Transcript) -> Judged:
        parts, clock = self._parts, self._parts.clock
        began = clock.now()
        decision = parts.mind.decide(transcript.text, parts.robot.state(), began, datetime.now().astimezone().hour)
        self.ledger.mark("decide", clock.now(), began=began)
        if decision.route == "emergency" and decision.actions:  # 踊らないで, while it dances
            stop = StopMatch(decision.text, decision.latch, decision.rule, decision.confidence)
            return Judged(None, None, transcript, stop, decision.reply)
        return Judged(decision, None, transcript)

    async def stop(self, judged: Judged) -> TurnRecord:
        """Stop everything, then say so."""
        parts, clock = self._parts, self._parts.clock
        match = judged.stop
        latch = match is not None and match.latch
        parts.mouth.cancel()
        self.ledger.mark("dispatch", clock.now())
        report = await parts.dispatcher.stop(reason=parts.quoted(judged.transcript.text), latch=latch)
        if report.acknowledged:
            self.ledger.mark("stop", clock.now())
        parts.mind.forget()
        usual = LATCHED if latch else judged.reply or STOPPED
        reply = usual if report.acknowledged else STOP_FAILED_REPLY
        outcome: Outcome = "done" if report.acknowledged else "unknown"
        record = replace(
            self._record(judged),
            route="emergency",
            kind="action",
            rule=match.rule if match else "",
            confidence=1.0,
            steps=(Step(Action("stop", 1003), parts.title("stop"), outcome),),
        )
        return await self._speak(record, reply)

    async def act(self, judged: Judged) -> TurnRecord:
        """Move and answer."""
        decision, parts = judged.decision, self._parts
        record = self._record(judged)
        if decision is None:
            return record
        parts.mind.commit(decision, parts.clock.now())
        if decision.release:
            parts.lane.reset()
        plan = parts.dispatcher.plan(decision.actions)
        refused, reply = plan.refused, decision.reply
        if refused:
            reply = "".join(dict.fromkeys(r.reason for r in refused))
        reply += "".join(plan.notes)
        voice: list[asyncio.Task[TurnRecord]] = []

        def speak() -> None:
            if not voice:
                voice.append(asyncio.create_task(self._speak(record, reply), name=f"turn-{self.number}-voice"))

        def dispatched(_action: Action, _at: float) -> None:
            self.ledger.mark("dispatch", parts.clock.now())
            speak()  # the robot first: synthesis would take the processor from it

        results: list[StepResult] = []
        try:
            if plan.steps:
                results = await parts.dispatcher.run(decision.actions, on_dispatch=dispatched)
                if not voice and results[0].status is Status.INTERRUPTED:
                    reply = ""  # a stop took it away before it began: nothing is left to announce
            speak()
            record = await voice[0]
        finally:
            for task in voice:
                if not task.done():
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
        if told := spoken_after(results, reply):
            record = replace(await self._speak(record, told), reply=record.reply + told)
        # What was refused only when its turn came (battery, posture) is a refusal all the same.
        late = [r for r in results if r.status is Status.REFUSED and r.dispatched_at is None]
        if late:
            refused = tuple(Refusal(r.action.name, r.action.api_id, r.outcome.text) for r in late)
        done = [r for r in results if r not in late]
        return replace(
            record,
            steps=tuple(Step(r.action, parts.title(r.action.name), _OUTCOMES[r.status]) for r in done),
            refused=tuple(RefusedStep(r, parts.title(r.name)) for r in refused),
        )

    def failed(self) -> TurnRecord:
        """The record of a turn that met a fault of the program."""
        return TurnRecord(turn=self.number, started=self._started, dropped="internal error")

    def finish(self, record: TurnRecord) -> TurnRecord:
        """The record with its final times."""
        self.ledger.mark("done", self._parts.clock.now())
        return replace(record, timings_ms=self.ledger.timings_ms())

    def _mark_stt(self, heard: Heard) -> None:
        now = self._parts.clock.now()
        self.ledger.mark("stt", now, began=now - heard.work_ms / 1000.0)

    def _stop_in(self, heard: Heard) -> StopMatch | None:
        """A stop, believed on weaker evidence while there is something to stop, or was until this stopped it."""
        parts, transcript = self._parts, heard.transcript
        moving = parts.dispatcher.running is not None or self._broke_in()
        busy = moving or parts.mouth.speaking
        began = parts.clock.now()
        match = parts.stops.find_stop(transcript.text, moving=moving)
        if match is None:
            return None
        believed = transcript.dropped is None and transcript.oov <= max(STOP_OOV, parts.settings.stt.oov_threshold)
        if not (believed or busy or parts.settings.robot.engine == "go2"):
            return None
        self.ledger.mark("decide", parts.clock.now(), began=began)
        return match

    def _record(self, judged: Judged) -> TurnRecord:
        t, d = judged.transcript, judged.decision
        return TurnRecord(
            turn=self.number,
            started=self._started,
            transcript=self._parts.speller.display(t.text) if t.reading else t.text,
            reading=t.reading or reading(t.text),
            dropped=judged.dropped,
            oov=t.oov,
            route=d.route if d else "none",
            kind=d.kind if d else "none",
            rule=self._rule(d) if d else "",
            confidence=d.confidence if d else 0.0,
            truncated=self.utterance.truncated,
        )

    def _rule(self, decision: Decision) -> str:
        """Which rule decided; a cached answer names what was said earlier, where that may be told."""
        personal = decision.route == "cache" and not self._parts.settings.privacy.log_speech
        return "cache" if personal else decision.rule

    async def _speak(self, record: TurnRecord, reply: str) -> TurnRecord:
        if not reply:
            return replace(record, reply=reply)
        spoken = await self._parts.mouth.say(reply)
        if spoken.first_audio_at is not None:
            self.ledger.mark("first_audio", spoken.first_audio_at)
        if not spoken.interrupted:
            self._parts.wake.answered(self._parts.clock.now())
        return replace(record, reply=reply, spoken="".join(spoken.spoken))


def spoken_after(results: Sequence[StepResult], reply: str) -> str:
    """What the steps themselves have to tell (it did not work; where the photo is), unless it was said already."""
    return "".join(text for text in dict.fromkeys(r.outcome.text for r in results) if text and text not in reply)


_OUTCOMES: dict[Status, Outcome] = {
    Status.DONE: "done",
    Status.INTERRUPTED: "stopped",
    Status.REFUSED: "failed",
    Status.UNKNOWN: "unknown",
    Status.UNREACHABLE: "failed",
}
