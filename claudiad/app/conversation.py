"""Listens without pause, decides whose turn it is, and carries turns out.

One task reads the microphone and does nothing that takes time: echo cancellation, endpointing, and starting what runs
beside it (the guess about the utterance so far, the stop listener). A second one takes the committed utterances in the
order they were spoken; a newer turn that has something to do ends the older one's speech and motion first. A stop is
looked at before anything else waits: it overtakes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from claudiad.app.barge_in import BargeIn
from claudiad.app.early_thought import EarlyThought
from claudiad.app.journal_fields import turn_fields
from claudiad.app.judge import BACKCHANNEL, OWN_VOICE, STOPPED, Judge, Judged
from claudiad.app.ledger import TurnRecord, canonical_line, over_budget
from claudiad.app.parts import Parts
from claudiad.app.speculation import Guess, Speculator, Waste, hear_whole
from claudiad.app.stop_listener import StopListener
from claudiad.app.turn import STOP_FAILED_REPLY, Turn
from claudiad.app.typed import Sentence, Typed
from claudiad.audio.echo import EchoCanceller
from claudiad.audio.endpoint import (
    Endpointer,
    Event,
    SpeechDiscarded,
    SpeechPaused,
    SpeechResumed,
    UtteranceCommitted,
)
from claudiad.audio.microphone import LiveMicrophone, Microphone
from claudiad.brain.backchannel import is_backchannel
from claudiad.brain.continuation import Continuation, behind, continued, whole_of
from claudiad.brain.openness import Openness, how_open, says_nothing
from claudiad.brain.patience import Patience
from claudiad.brain.reading import reading
from claudiad.brain.wording import ENDED, LATCHED
from claudiad.errors import Busy, ClaudiaError
from claudiad.robot.base import FOREIGN
from claudiad.robot.stop_lane import StopReport
from claudiad.service.heartbeats import Heartbeats
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Decision, Frame, Kind, Transcript, Utterance

log = logging.getLogger(__name__)

QUEUE = 8
"""Utterances waiting for recognition; more than this means the recogniser cannot keep up, the oldest is dropped."""

DECISION_S = 45.0
"""Longest time from taking an utterance to having begun what it calls for: recognition is watched by itself, and the
motion that is stopped for it ends within seconds."""

MUTED = "muted"

CLOSING_S = 2.0
"""What listened and thought ahead has so long to end."""

SHORT, SCRAP = 4, 2
"""Kana: what is no longer and not understood does not interrupt the robot, nor, right behind a command, revoke it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A committed utterance on its way to its turn."""

    utterance: Utterance
    end_at: float
    """Clock time of its last voiced sample."""
    committed_at: float
    """Clock time."""
    guess: asyncio.Task[Guess | None] | None
    """About exactly this utterance, done or under way."""
    waste: Waste
    barrier: tuple[int, int]
    """`Dispatcher.barrier` when it was said: behind a stop since then it is not begun."""
    typed: Sentence | None = None
    """What was written instead of spoken: then the utterance holds no sound."""

    @property
    def begun_at(self) -> float:
        """Clock time of its first voiced sample."""
        u = self.utterance
        return self.end_at - (u.speech_end_sample - u.speech_start_sample) / SAMPLE_RATE


class Conversation:
    """The loop from frames to turns. `run` ends when the microphone does, after the last turn."""

    def __init__(
        self,
        parts: Parts,
        microphone: Microphone,
        on_turn: Callable[[TurnRecord], None] | None = None,
        *,
        patient: bool = False,
        heartbeats: Heartbeats | None = None,
        first_turn: int = 1,
    ) -> None:
        """Args: `patient` lets the frames wait for recognition: for recordings that come faster than real time;
        `heartbeats` is told of every decision that begins and ends; `first_turn` is the number of the first one."""
        s = parts.settings
        self._parts = parts
        self._microphone = microphone
        self._on_turn = on_turn
        self._patient = patient
        self._closely = True
        self._patience = Patience(s.turn)
        endpoint = s.endpoint
        if s.turn.adaptive:
            endpoint = endpoint.model_copy(update={"hangover_ms": self._patience.wait_ms(None)})
        self._echo = EchoCanceller(parts.speaker.reference, enabled=s.audio.echo_cancellation)
        self._endpointer = Endpointer(endpoint)
        self._judge = Judge(parts)
        self._speculator = Speculator(parts, self._judge, self._before, self._guessed)
        self._stops = StopListener(parts, self._judge)
        self._early = EarlyThought(parts)
        self._barge_in = BargeIn(parts.mouth, s.turn, parts.clock)
        self._queue: asyncio.Queue[Said | None] = asyncio.Queue(QUEUE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = first_turn - 1
        self._heartbeats = heartbeats or Heartbeats()
        self._foreign = False
        self._deciding = False
        self._muted = False
        self._typed = Typed()
        self._paused_at = 0.0
        """Clock time of the last voiced sample before the present pause."""
        self._paused_in: tuple[int, int] | None = None
        """`Dispatcher.barrier` at the beginning of the present pause, if there is one."""
        self._open: Turn | None = None
        """The last one that was understood: speech that resumes soon enough belongs to it."""
        self._working: dict[Turn, int] = {}
        """Turns that are not reported yet, and how many tasks of theirs are under way."""
        self._same_turn = s.turn.same_turn_ms * SAMPLE_RATE // 1000

    async def run(self) -> None:
        """Until the microphone ends or the task is cancelled; then nothing plays and nothing moves."""
        await asyncio.to_thread(self._echo.load)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(), name="listen")
                group.create_task(self._converse(), name="converse")
        finally:
            await self._quiet()

    async def ask(self, text: str) -> TurnRecord:
        """Do what a typed sentence says, as if it had been said to the robot, and wait for the turn's end.

        A stop in it is carried out before whatever waits. Raises Busy when too many wait.
        """
        judged, barrier = self._judge.typed(text), self._parts.dispatcher.barrier()
        if judged.stop is not None:
            self._parts.lane.request(self._parts.quoted(text), latch=judged.stop.latch)
            self._parts.mouth.cancel()
        self._typed.check()
        if self._queue.full():
            raise Busy("too much is said at once")
        here, now = self._endpointer.position, self._parts.clock.now()
        silence = Utterance(_NOTHING, here, here, here, here, 0, 0.0, 0.0)
        sentence = self._typed.sentence(text, judged if judged.stop is not None else None)
        self._queue.put_nowait(Said(silence, now, now, None, Waste(), barrier, sentence))
        return await sentence.answer

    async def stop(self, reason: str) -> StopReport:
        """Stop the robot and keep it stopped, for somebody who does not speak; every turn ends, and it is said."""
        self._parts.mouth.cancel()
        self._think_no_further()
        self._let_go()
        report = await self._parts.dispatcher.stop(reason=reason, latch=True)
        self._parts.mind.forget()
        self.remark(LATCHED if report.acknowledged else STOP_FAILED_REPLY)
        return report

    def remark(self, text: str) -> None:
        """Say something that belongs to no turn."""
        self._spawn(self._remark(text), "remark")

    @property
    def muted(self) -> bool:
        """What is heard is recognised for the sake of stops, and thrown away: no turn, no record, no line."""
        return self._muted

    def mute(self, *, muted: bool) -> None:
        """A stop is heard all the same, over the voice and over motion."""
        self._muted = muted
        if muted:
            self._early.drop()
            self._barge_in.nothing()
            self._parts.mouth.duck(down=False)

    @property
    def turns(self) -> int:
        """Turns begun so far; the next one's number is one more."""
        return self._turns

    @property
    def idle(self) -> bool:
        """Nothing said is waiting, nothing is being recognised, nothing is being done, and nothing may be added."""
        return not (self._endpointer.in_speech or self._undecided or self._tasks or self._working)

    @property
    def settled(self) -> bool:
        """Nothing said is waiting, and nothing can be added to what was; motion and voice may go on."""
        return not (self._endpointer.in_speech or self._undecided) and self._open is None

    @property
    def _undecided(self) -> bool:
        return self._deciding or not self._queue.empty()

    async def _listen(self) -> None:
        e = self._endpointer
        if isinstance(self._microphone, LiveMicrophone):
            self._microphone.attend(closely=True)  # as it was left by the conversation before this one
        async for raw in self._microphone.frames():
            frame = self._echo.process(raw)
            for event in e.push(frame, nobody=self._echo.echo_only):
                self._note(event, frame)
            self._stops.listen(e)
            if self._patient:
                await self._settled()
            if not self._muted:
                self._barge_in.listen(e, undecided=self._undecided)
            self._look_for_others()
            self._close(e.position)
            self._ease()
        last = Frame(_NOTHING, e.last_voiced_sample, self._parts.clock.now())
        for event in e.flush():
            self._note(event, last)
        await self._queue.put(None)

    def _ease(self) -> None:
        """In a quiet room frames may come a few at a time: nothing but the beginning of speech can be in them."""
        parts = self._parts
        closely = not self.idle or parts.speaker.playing or parts.dispatcher.running is not None
        if closely != self._closely and isinstance(self._microphone, LiveMicrophone):
            self._microphone.attend(closely=closely)
        self._closely = closely

    def _note(self, event: Event, frame: Frame) -> None:
        match event:
            case SpeechPaused(utterance):
                self._paused_at = _end_at(utterance, frame)
                self._paused_in = self._parts.dispatcher.barrier()
                self._speculator.begin(utterance)
            case SpeechResumed(pause_ms):
                self._paused_in = None
                self._early.drop()
                self._patience.paused(pause_ms)
            case SpeechDiscarded():
                self._early.drop()
                self._speculator.forget()
            case UtteranceCommitted(utterance):
                self._put(utterance, frame)
            case _:
                pass

    def _put(self, utterance: Utterance, frame: Frame) -> None:
        if self._queue.full():
            lost = self._queue.get_nowait()
            what = "end" if lost is None else "speech"
            if lost is not None and lost.typed is not None:
                self._typed.lost(lost.typed)
            log.warning("recognition cannot keep up: an utterance was dropped (%s)", what)
        guess, waste = self._speculator.take(utterance)
        barrier = self._parts.dispatcher.barrier()
        if self._paused_in is not None and self._stops.broke_in(utterance) is None:
            barrier = self._paused_in  # a stop in the silence behind it came later than it
        self._paused_in = None
        said = Said(utterance, _end_at(utterance, frame), self._parts.clock.now(), guess, waste, barrier)
        self._queue.put_nowait(said)

    def _guessed(self, utterance: Utterance, guess: Guess) -> None:
        """The words so far tell how long to wait for more of them."""
        e, turn = self._endpointer, self._parts.settings.turn
        if not e.in_speech or e.last_voiced_sample != utterance.speech_end_sample:
            return
        openness = self._openness(utterance, guess)
        if turn.adaptive:
            e.wait(self._patience.wait_ms(openness))
        if self._muted:
            return
        if turn.speculate and openness is not Openness.COMPLETE and self._judge.believes(guess.heard.transcript):
            self._early.begin(utterance, guess, self._paused_at)
        if turn.speculate and openness is not Openness.COMPLETE and guess.decision.reply:
            # Something is left of the silence: synthesis costs nothing now. A complete one's would delay the robot.
            self._spawn(self._parts.mouth.prepare(guess.decision.reply), "prepare")

    def _openness(self, utterance: Utterance, guess: Guess) -> Openness:
        transcript, turn = guess.heard.transcript, self._followed(utterance)
        if self._judge.stop_in(transcript) is not None:
            return Openness.COMPLETE
        if turn is not None and turn.decision is not None:
            rest = Judged(guess.decision, transcript.dropped, transcript)
            more, _ = self._continuation(turn.decision, rest, guess.whole, utterance)
            if more.kind in ("cancel", "replace") and self._judge.believes(transcript):
                return Openness.COMPLETE  # what it revokes is under way
        if not self._judge.believes(transcript):
            return Openness.BETWEEN  # words that are not believed tell nothing
        return how_open(transcript.text, guess.decision, self._parts.openness).openness

    def _continuation(
        self, begun: Decision, rest: Judged, as_one: Transcript | None, utterance: Utterance
    ) -> tuple[Continuation, Decision]:
        """What `rest`, said right behind a command, makes of it; and the decision on both as one.

        `as_one` is both recognised as one sound.
        """
        text, dropped = rest.transcript.text, rest.dropped
        known = as_one.text if as_one is not None and self._judge.believes(as_one) else ""
        if dropped is not None and (later := behind(begun.text, known)):
            text, dropped = later, None  # short pieces alone are often taken for unknown words, the whole seldom is
        alone = rest.decision or self._judge.decide(text)
        whole = whole_of(begun, alone, self._judge.decide, known if dropped is None else "")
        nothing = is_backchannel(text, self._parts.backchannels) or says_nothing(text, self._parts.openness)
        more = continued(
            begun, whole, alone, rest_dropped=dropped, rest_voiced_ms=utterance.voiced_ms, says_nothing=nothing
        )
        if more.kind == "cancel" and whole.route in ("fallback", "none") and more.reply == whole.reply:
            more = replace(more, reply=ENDED)
        return more, whole

    async def _converse(self) -> None:
        while (said := await self._queue.get()) is not None:
            self._deciding = True
            self._heartbeats.busy("decision", DECISION_S)
            before = None if said.typed or self._muted else self._followed(said.utterance)
            turn = Turn(self._turns + 1, said.utterance, said.end_at, self._parts, typed=said.typed is not None)
            if said.typed is not None:
                self._typed.begins(said.typed, turn.number)
            try:
                judged, as_one = await self._hear(said, turn)
                if judged.dropped == MUTED:
                    continue
                if self._overtaken(said, judged):
                    before = None
                    if judged.decision is not None:
                        judged = replace(judged, decision=None, dropped=STOPPED)
                if before is None or not await self._go_on(before, judged, as_one, said):
                    self._turns += 1
                    await self._begin(turn, judged, said)
            except Exception:
                self._turns = turn.number
                await self._failed(turn)
            finally:
                self._deciding = False
                self._heartbeats.idle("decision")
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._close(None)

    def _before(self, utterance: Utterance) -> Utterance | None:
        """What an utterance goes on from."""
        turn = self._followed(utterance)
        return turn.heard if turn is not None else None

    def _followed(self, utterance: Utterance) -> Turn | None:
        """The command behind which this was said soon enough to belong to it."""
        turn = self._open
        if turn is None or utterance.speech_start_sample - turn.speech_end_sample > self._same_turn:
            return None
        return turn

    async def _hear(self, said: Said, turn: Turn) -> tuple[Judged, Transcript | None]:
        """What an utterance is: from the guess about it where that stands, else recognised now.

        And what it is together with the one it goes on from, as one sound.
        """
        parts, clock, ledger = self._parts, self._parts.clock, turn.ledger
        u, stopped = said.utterance, self._stops.broke_in(said.utterance)
        if said.typed is not None:
            began = clock.now()
            judged = said.typed.stop or self._judge.typed(said.typed.text)
            ledger.mark("decide", clock.now(), began=began)
            return judged, None
        ledger.mark("endpoint", said.committed_at)
        if parts.ears.separate:
            heard = await parts.ears.hear_stop(u.pcm)
            if (stop := self._judge.stop_in(heard.transcript, stopped=stopped is not None)) is not None:
                ledger.mark("stt", clock.now(), began=clock.now() - heard.work_ms / 1000.0)
                ledger.mark("transcript", clock.now())
                return Judged(None, None, heard.transcript, stop), None
        guess = await said.guess if said.guess is not None and parts.settings.turn.speculate else None
        heard = guess.heard if guess is not None else await parts.ears.hear_utterance(u)
        whole = None if guess is not None else await hear_whole(parts.ears, self._before(u), u)
        as_one = guess.whole if guess is not None else whole.transcript if whole is not None else None
        heard_at = guess.heard_at if guess is not None else clock.now()
        ledger.mark("stt", heard_at, began=heard_at - heard.work_ms / 1000.0)
        began = clock.now()
        ledger.mark("transcript", began)
        early = guess if guess is not None and guess.basis == self._judge.basis() else None
        judged = self._judge.judge(
            heard.transcript,
            said.begun_at,
            stopped=stopped,
            addressed=self._followed(u) is not None,
            early=early.decision if early is not None else None,
        )
        if early is not None:
            ledger.mark("decide", early.decided_at, began=early.decided_at - early.decide_s)
        else:
            ledger.mark("decide", clock.now(), began=began)
        ledger.speculated(said.committed_at - early.decided_at if early else None, said.waste.work_ms / 1000.0)
        if self._muted and judged.stop is None:
            return Judged(None, MUTED, Transcript("", "", 0.0, 0.0)), None
        return self._unless_backchannel(judged, said), as_one

    def _unless_backchannel(self, judged: Judged, said: Said) -> Judged:
        """うん, and the like, while the robot speaks is no turn: the reply goes on. Nor is it ever a near miss.

        A few kana that mean nothing, heard while it speaks, are what is left of its own voice more often than not.
        """
        d, mouth = judged.decision, self._parts.mouth
        if d is None or d.route not in ("fallback", "semantic"):
            return judged
        meanwhile = d.route == "fallback" and (mouth.speaking or mouth.said_since(said.begun_at))
        if is_backchannel(judged.transcript.text, self._parts.backchannels) and (meanwhile or d.route == "semantic"):
            return replace(judged, decision=None, dropped=BACKCHANNEL)
        short = SHORT if self._followed(said.utterance) is None else SCRAP
        if meanwhile and len(reading(judged.transcript.text)) <= short:
            return replace(judged, decision=None, dropped=OWN_VOICE)
        return judged

    def _overtaken(self, said: Said, judged: Judged) -> bool:
        """A stop came since it was said: it ends what waited to be understood as well (a stop, of course, is none)."""
        return judged.stop is None and said.barrier != self._parts.dispatcher.barrier()

    async def _begin(self, turn: Turn, judged: Judged, said: Said) -> None:
        """Start what the utterance calls for, and end what it ends."""
        if judged.stop is not None:
            self._think_no_further()
            self._let_go()
            self._stops.credit(turn.utterances[0], turn.ledger)
            own = self._judge.is_own(judged.transcript, said.begun_at) and not self._stops.something_to_stop()
            own = own and said.typed is None
            self._start(turn, turn.stop(judged, quietly=own))
        elif judged.decision is None:
            self._early.drop()
            turn.judged = judged
            if judged.dropped == OWN_VOICE:
                self._barge_in.nothing()
            self._report(turn.record())
        else:
            await self._make_way(judged.decision)
            self._let_go()
            if not self._overtaken(said, judged):  # else nothing of it will: a stop came while it made way
                turn.begins()
            self._start(turn, self._work(turn, judged, said))
            no_more = said.typed is not None or judged.decision.route in ("fallback", "none", "emergency")
            self._open = None if no_more else turn
        await asyncio.sleep(0)  # a StopMove is on its way before the next utterance is even looked at

    def _work(self, turn: Turn, judged: Judged, said: Said) -> Coroutine[Any, Any, None]:
        """Carry the decision out, or ask a model where there is none worth the name."""
        models, decision = self._parts.models, judged.decision
        thinking = self._early.take(said.utterance, decision) if decision is not None else None
        if thinking is None and models is not None and decision is not None:
            question = self._early.question(decision, said.end_at)
            thinking = models.thinker.begin(question) if question is not None else None
        if models is None or thinking is None:
            return turn.act(judged)
        return turn.think(judged, thinking, models.filler)

    async def _go_on(self, turn: Turn, rest: Judged, as_one: Transcript | None, said: Said) -> bool:
        """Carry out what was said right behind a command; False when it does not concern it."""
        begun = turn.decision
        if begun is None or (rest.decision is not None and rest.decision.release):
            return False
        if rest.stop is not None and not self._only_forbids(begun, rest):
            return False
        first = turn.judged.transcript if turn.judged is not None else rest.transcript
        more, whole = self._continuation(begun, rest, as_one, said.utterance)
        if more.kind == "unrelated":
            return False
        if more.kind != "same":
            self._parts.mouth.cancel()
        decision = _as_one(begun, whole, more)
        transcript = replace(
            rest.transcript, text=decision.text, reading=first.reading + rest.transcript.reading, dropped=None
        )
        self._patience.paused((said.utterance.speech_start_sample - turn.speech_end_sample) * 1000 // SAMPLE_RATE)
        turn.begins()
        self._start(turn, turn.go_on(Judged(decision, None, transcript), said.utterance, more))
        await asyncio.sleep(0)
        return True

    def _only_forbids(self, begun: Decision, rest: Judged) -> bool:
        """座って … いけない: a stop as long as it moves, but of what was asked for only."""
        if rest.stop is not None and rest.stop.latch:
            return False
        rest_alone = self._judge.decide(rest.transcript.text)
        return whole_of(begun, rest_alone, self._judge.decide).rule.startswith("forbidden")

    def _start(self, turn: Turn, work: Coroutine[Any, Any, None]) -> None:
        self._working[turn] = self._working.get(turn, 0) + 1
        self._spawn(self._carry_out(turn, work), f"turn-{turn.number}")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """A task beside the loop, ended with it."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, turn: Turn, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            await self._failed(turn)
            return
        if turn in self._working:
            self._working[turn] -= 1
            turn.ledger.mark("done", self._parts.clock.now())
            self._finish(turn)

    def _finish(self, turn: Turn) -> None:
        """Report a turn of which nothing is under way any more and to which nothing can be added."""
        if self._working.get(turn) == 0 and turn is not self._open:
            del self._working[turn]
            self._report(turn.record())

    def _close(self, position: int | None) -> None:
        """After long enough without speech, the last command is over; `position` None: there is no more to come."""
        turn, e = self._open, self._endpointer
        if turn is None:
            return
        if position is not None:
            limit = turn.speech_end_sample + self._same_turn
            if position <= limit or self._undecided or (e.in_speech and e.speech_start_sample <= limit):
                return
        self._let_go()

    def _let_go(self) -> None:
        """Nothing can be added to the last command any more."""
        turn, self._open = self._open, None
        if turn is not None:
            self._finish(turn)

    async def _make_way(self, decision: Decision) -> None:
        """A newer command replaces what is under way."""
        self._think_no_further()
        if decision.actions or decision.reply:
            self._parts.mouth.cancel()
        if decision.actions and self._parts.dispatcher.running is not None:
            await self._parts.dispatcher.stop("a newer command", in_turn=True)

    def _think_no_further(self) -> None:
        """What models are thinking about is overtaken."""
        for turn in self._working:
            turn.abandon()

    async def _failed(self, turn: Turn) -> None:
        """A fault in one turn must neither move the robot on nor deafen it: it is said here, and only here."""
        log.exception("turn %d failed; the robot is stopped", turn.number)
        self._working.pop(turn, None)
        if self._open is turn:
            self._open = None
        self._parts.mouth.cancel()
        await self._parts.dispatcher.stop(reason="internal error")
        turn.ledger.mark("done", self._parts.clock.now())
        self._report(turn.failed())

    def _report(self, record: TurnRecord) -> None:
        log_speech = self._parts.settings.privacy.log_speech
        fields = turn_fields(record, log_speech=log_speech)
        log.info("%s", canonical_line(record, log_speech=log_speech), extra={"journal": fields})
        for late in over_budget(record, self._parts.settings.turn):
            log.warning("turn %d: %s", record.turn, late)
        if self._parts.models is not None:
            self._parts.models.remember(record)
        if self._parts.audit is not None:
            self._parts.audit.write(record.to_json())
        if self._on_turn is not None:
            self._on_turn(record)
        self._typed.over(record)

    def _look_for_others(self) -> None:
        """Say once that somebody else moves the robot; the robot's engine refuses motions meanwhile."""
        foreign, parts = self._parts.robot.foreign, self._parts
        if foreign and not self._foreign:
            log.warning("somebody else moves the robot (app or remote control): yielding")
            if not parts.mouth.speaking:
                self._spawn(self._remark(FOREIGN), "yielding")
        self._foreign = foreign

    async def _remark(self, text: str) -> None:
        try:
            await self._parts.mouth.say(text)
        except ClaudiaError as fault:
            log.error("could not say it: %s", fault)

    async def _settled(self) -> None:
        """Recordings that come faster than real time wait for what hears them."""
        await self._speculator.settled()
        await self._stops.settled()

    async def _quiet(self) -> None:
        """Leave nothing playing and nothing moving, before anything is waited for that could hang."""
        self._parts.mouth.cancel()
        pending = [t for t in self._tasks if not t.done()]
        if self._parts.dispatcher.running is not None or self._parts.dispatcher.unsettled:
            await self._parts.dispatcher.stop(reason="shutdown")
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        self._typed.close()
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._speculator.close()
                await self._stops.close()
                await self._early.close()
        except TimeoutError:
            log.warning("recognition or a language model does not end within %g s; it is left", CLOSING_S)


def _as_one(begun: Decision, whole: Decision, more: Continuation) -> Decision:
    """The decision of a turn that went on: what all of its words come to."""
    if more.kind in ("replace", "cancel"):
        return replace(whole, actions=more.actions)
    if more.kind == "follow":
        kind: Kind = begun.kind if begun.actions else "dialog_with_action"
        actions = (*begun.actions, *more.actions)
        return replace(begun, text=whole.text, route="grammar", kind=kind, rule=more.reason, actions=actions, asked=())
    return replace(begun, text=whole.text, asked=())


def _end_at(utterance: Utterance, frame: Frame) -> float:
    """Clock time of its last voiced sample, seen from the frame in which that became known."""
    since = (frame.start_sample + FRAME_SAMPLES - utterance.speech_end_sample) / SAMPLE_RATE
    return frame.captured_at - max(0.0, since)


_NOTHING = np.zeros(0, np.int16)
