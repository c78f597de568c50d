"""One turn: from a committed utterance to the last motion and the last sound.

What is heard is judged elsewhere (`judge`); here it is carried out. A turn is not over with its first utterance: the
person may go on right behind a command (立って … 挨拶して), add to it or take it back, and all of that is one record.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from claudiad.app.judge import Judged
from claudiad.app.ledger import Ledger, Outcome, RefusedStep, Step, TurnRecord
from claudiad.app.parts import Parts
from claudiad.brain.continuation import Continuation
from claudiad.brain.reading import reading
from claudiad.brain.wording import LATCHED, STOPPED
from claudiad.llm.thinker import Account, Act, Concluded, Filler, Say, Thinking
from claudiad.robot.base import Outcome as RobotOutcome
from claudiad.robot.base import Status
from claudiad.robot.dispatcher import OnDispatch, StepResult
from claudiad.tts.mouth import Spoken
from claudiad.types import Action, Decision, Refusal, Transcript, Utterance, joined

log = logging.getLogger(__name__)

STOP_FAILED_REPLY = "止まれと伝えましたが、ロボットから返事がありません。"


class Turn:
    """Carries out what was said and keeps the account of it. All of it belongs to the event loop."""

    def __init__(
        self, number: int, utterance: Utterance, speech_end_at: float, parts: Parts, *, typed: bool = False
    ) -> None:
        """Args: `speech_end_at` is the clock time of the last voiced sample: the ledger's zero."""
        self.number = number
        self.typed = typed
        self.utterances = [utterance]
        self.heard = utterance
        """All that was said, as one sound."""
        self.judged: Judged | None = None
        """What was said so far, as one."""
        self._parts = parts
        self.ledger = Ledger(speech_end_at)
        age = max(0.0, parts.clock.now() - speech_end_at)
        self._started = (datetime.now(UTC).astimezone() - timedelta(seconds=age)).isoformat(timespec="milliseconds")
        self._log: list[list[StepResult] | Outcome] = []
        """In order: plans, each with the results so far, and what became of this turn's own stops."""
        self._refused: list[Refusal] = []
        self._reply = ""
        self._spoken = ""
        self._rule = ""
        self._motion: asyncio.Future[bool] | None = None
        """The last plan: whether all of it was done."""
        self._thinking: asyncio.Task[None] | None = None
        self._epoch = parts.dispatcher.epoch()
        """What is done belongs to it: a stop since then ends it, also where it has not begun."""
        self._account = Account()

    @property
    def speech_end_sample(self) -> int:
        """Of its last utterance."""
        return self.utterances[-1].speech_end_sample

    @property
    def decision(self) -> Decision | None:
        """What it acts on; None when it does not."""
        return self.judged.decision if self.judged is not None else None

    def begins(self) -> None:
        """From now on a stop ends it; those before, which made way for it, do not."""
        self._epoch = self._parts.dispatcher.epoch()

    async def stop(self, judged: Judged, *, quietly: bool = False) -> None:
        """Stop everything, then say so; `quietly` says nothing where it worked."""
        parts, clock = self._parts, self._parts.clock
        self.judged = judged
        match = judged.stop
        latch = match is not None and match.latch
        parts.mouth.cancel()
        self.ledger.mark("dispatch", clock.now())
        report = await parts.dispatcher.stop(parts.quoted(judged.transcript.text), latch, in_turn=True)
        if report.acknowledged:
            self.ledger.mark("stop", clock.now())
        parts.mind.forget()
        self._rule = match.rule if match else ""
        self._log.append("done" if report.acknowledged else "unknown")
        usual = LATCHED if latch else judged.reply or STOPPED
        reply = usual if report.acknowledged else STOP_FAILED_REPLY
        await self._speak("" if quietly and report.acknowledged else reply)

    async def act(self, judged: Judged) -> None:
        """Move and answer."""
        self.judged = judged
        decision, parts = judged.decision, self._parts
        if decision is None:
            return
        parts.mind.commit(decision, parts.clock.now())
        if decision.release:
            parts.lane.reset()
        await self._do(decision, decision.actions, decision.reply)

    async def go_on(self, judged: Judged, utterance: Utterance, more: Continuation) -> None:
        """What the person said right behind it: do more, do something else, or take it back.

        `judged` is all that was said, as one. What more is to be done belongs to the time since `begins`.
        """
        parts = self._parts
        self.utterances.append(utterance)
        self.heard = joined(self.heard, utterance)
        self.judged = judged
        if more.kind in ("replace", "cancel"):
            self._motion = None  # what comes instead does not wait for what it replaces to be completed
            barrier = parts.dispatcher.barrier()
            report = await parts.dispatcher.stop(parts.quoted(judged.transcript.text), in_turn=True)
            if parts.dispatcher.barrier() == barrier:  # or nothing more of it may begin
                self.begins()
            self._log.append("done" if report.acknowledged else "unknown")
            parts.mind.forget()
        decision = judged.decision
        if decision is not None:
            parts.mind.commit(decision, parts.clock.now())
            if more.actions or more.reply:
                await self._do(decision, more.actions, more.reply)

    async def think(self, judged: Judged, thinking: Thinking, filler: Callable[[], str]) -> None:
        """Do and say what a language model answers, while it writes it; ends with the last motion and the last sound.

        `filler` gives something short to say while it takes long. What the model wants done is begun only if no stop
        came since the turn began.
        """
        self.judged = judged
        work: list[asyncio.Task[Any]] = []
        written: asyncio.Queue[str | None] = asyncio.Queue()
        reading = self._thinking = asyncio.create_task(self._read(thinking, filler, written, work), name="thoughts")
        try:
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.result()
            written.put_nowait(None)
            results = [r for each in await asyncio.gather(*work) for r in each]
            if not reading.cancelled() and (told := spoken_after(results, self._reply)):
                await self._speak(told)
        finally:
            for task in (reading, *work):
                task.cancel()
            await asyncio.gather(reading, *work, return_exceptions=True)

    def abandon(self) -> None:
        """Something newer was said, or a stop: think no further, begin and say nothing more. What moves, moves on."""
        if self._thinking is not None and not self._thinking.done():
            self._account = Account(reasons=("overtaken by what was said next",))
            self._thinking.cancel()

    async def _read(
        self,
        thinking: Thinking,
        filler: Callable[[], str],
        written: asyncio.Queue[str | None],
        work: list[asyncio.Task[Any]],
    ) -> None:
        """Begin what the thoughts call for, in tasks that end with a list of results."""
        speaking = False
        async with aclosing(thinking.thoughts()) as thoughts:
            async for thought in thoughts:
                match thought:
                    case Filler():
                        work.append(asyncio.create_task(self._fill(filler()), name="filler"))
                    case Act(actions):
                        for text in self._allowed(actions):
                            written.put_nowait(text)
                        work.append(asyncio.create_task(self._move(actions, self._dispatched), name="thought of"))
                    case Say(text):
                        if not self._refused:  # or it would announce what is not done
                            written.put_nowait(text)
                    case Concluded(decision, account):
                        self._concluded(decision, account)
                if not speaking and not written.empty():
                    speaking = True
                    work.append(asyncio.create_task(self._speak_as_written(written), name="answer"))

    def _allowed(self, actions: Sequence[Action]) -> list[str]:
        """What safety has to say about it, for the person."""
        plan = self._parts.dispatcher.plan(actions)
        self._refused += plan.refused
        return [*dict.fromkeys(r.reason for r in plan.refused), *plan.notes]

    def _concluded(self, decision: Decision, account: Account) -> None:
        """What it all came to is what is remembered, cached and reported."""
        parts = self._parts
        self._account = account
        if self.judged is not None:
            self.judged = replace(self.judged, decision=decision)
        if account.repairs:
            log.info("turn %d: repaired before the voice: %s", self.number, ", ".join(account.repairs))
        if account.first_token_at is not None:
            self.ledger.mark("first_token", account.first_token_at)
        parts.mind.commit(decision, parts.clock.now())
        parts.mind.learn(decision, parts.robot.state(), parts.clock.now())
        if decision.asked:
            parts.mind.asked(decision, parts.clock.now())

    def _dispatched(self, _action: Action, _at: float) -> None:
        self.ledger.mark("dispatch", self._parts.clock.now())

    async def _fill(self, text: str) -> list[StepResult]:
        self._sounded(await self._parts.mouth.say(text))
        return []

    async def _speak_as_written(self, written: asyncio.Queue[str | None]) -> list[StepResult]:
        async def each() -> AsyncIterator[str]:
            while (text := await written.get()) is not None:
                self._reply += text
                yield text

        self._sounded(await self._parts.mouth.say_as_written(each()))
        return []

    def failed(self) -> TurnRecord:
        """The record of a turn that met a fault of the program."""
        return self._finished(TurnRecord(turn=self.number, started=self._started, dropped="internal error"))

    def record(self) -> TurnRecord:
        """The account of it, with the times up to now."""
        parts, judged = self._parts, self.judged
        t = judged.transcript if judged is not None else Transcript("", "", 0.0, 0.0)
        d = self.decision
        # What was refused only when its turn came (battery, posture) is a refusal all the same.
        results = [r for entry in self._log if isinstance(entry, list) for r in entry]
        late = [r for r in results if r.status is Status.REFUSED and r.dispatched_at is None]
        refused = [*self._refused, *(Refusal(r.action.name, r.action.api_id, r.outcome.text) for r in late)]
        stopped = judged is not None and judged.stop is not None
        record = TurnRecord(
            turn=self.number,
            started=self._started,
            transcript=parts.speller.display(t.text) if t.reading else t.text,
            reading=t.reading or reading(t.text),
            dropped=judged.dropped if judged is not None else None,
            oov=t.oov,
            route="emergency" if stopped else d.route if d else "none",
            kind="action" if stopped else d.kind if d else "none",
            rule=self._rule or (self._rule_of(d) if d else ""),
            confidence=1.0 if stopped else d.confidence if d else 0.0,
            steps=tuple(self._steps(late)),
            refused=tuple(RefusedStep(r, parts.title(r.name)) for r in dict.fromkeys(refused)),
            reply=self._reply,
            spoken=self._spoken,
            truncated=any(u.truncated for u in self.utterances),
            utterances=len(self.utterances),
            typed=self.typed,
            model=self._account.model,
            tokens_per_s=self._account.tokens_per_s,
            hedged=self._account.hedged,
            repairs=self._account.repairs,
            unanswered=self._account.reasons,
            first_token_budget_ms=self._account.first_token_budget_ms,
        )
        return self._finished(record)

    def _finished(self, record: TurnRecord) -> TurnRecord:
        return replace(record, timings_ms=self.ledger.timings_ms())

    def _steps(self, left_out: Sequence[StepResult]) -> list[Step]:
        """Results and stops in the order they happened."""
        stop, title = Action("stop", 1003), self._parts.title
        steps: list[Step] = []
        for entry in self._log:
            if isinstance(entry, str):
                steps.append(Step(stop, title("stop"), entry))
            else:
                steps += [Step(r.action, title(r.action.name), _OUTCOMES[r.status]) for r in entry if r not in left_out]
        return steps

    def _rule_of(self, d: Decision) -> str:
        """Which rule decided; a cached answer names what was said earlier, where that may be told."""
        personal = d.route == "cache" and not self._parts.settings.privacy.log_speech
        return "cache" if personal else d.rule

    async def _do(self, decision: Decision, actions: Sequence[Action], reply: str) -> None:
        """The robot first, then the voice; both go on beside each other, and this ends with the last of them."""
        parts = self._parts
        plan = parts.dispatcher.plan(actions)
        if plan.refused:
            self._refused += plan.refused
            reply = "".join(dict.fromkeys(r.reason for r in plan.refused))
        reply += "".join(plan.notes)
        voice: list[asyncio.Task[None]] = []

        def speak() -> None:
            if not voice:
                voice.append(asyncio.create_task(self._speak(reply, decision), name=f"turn-{self.number}-voice"))

        def dispatched(_action: Action, _at: float) -> None:
            self.ledger.mark("dispatch", parts.clock.now())
            speak()  # the robot first: synthesis would take the processor from it

        results: list[StepResult] = []
        try:
            if plan.steps:
                if self._motion is not None:
                    speak()  # it has to wait, the answer has not
                results = await self._move(actions, dispatched)
                if not voice and results[0].status is Status.INTERRUPTED:
                    reply = ""  # a stop took it away before it began: nothing is left to announce
            speak()
            await voice[0]
        finally:
            for task in voice:
                if not task.done():
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
        if told := spoken_after(results, reply):
            await self._speak(told)

    async def _move(self, actions: Sequence[Action], dispatched: OnDispatch) -> list[StepResult]:
        """Run a plan behind the one before it, which must have been completed: a sequence ends where one step fails."""
        before, epoch, mine = self._motion, self._epoch, asyncio.get_running_loop().create_future()
        self._motion = mine
        results: list[StepResult] = []
        self._log.append(results)
        done = False
        try:
            if before is None or await asyncio.shield(before):
                results += await self._parts.dispatcher.run(actions, on_dispatch=dispatched, since=epoch)
            else:
                results += [StepResult(action, RobotOutcome(Status.INTERRUPTED)) for action in actions]
            done = all(r.status is Status.DONE for r in results)
        finally:
            mine.set_result(done)
        return results

    async def _speak(self, reply: str, decision: Decision | None = None) -> None:
        """Say it; the question in it, if there is one, stands from its last clause on."""
        parts = self._parts
        self._reply += reply
        if not reply:
            return

        def last_begun() -> None:
            if decision is not None:
                parts.mind.asked(decision, parts.clock.now())

        self._sounded(await parts.mouth.say(reply, last_begun))

    def _sounded(self, spoken: Spoken) -> None:
        parts = self._parts
        if spoken.first_audio_at is not None:
            self.ledger.mark("first_audio", spoken.first_audio_at + parts.speaker.latency_s)
        if not spoken.interrupted:
            parts.wake.answered(parts.clock.now())
        self._spoken += "".join(spoken.spoken)


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
