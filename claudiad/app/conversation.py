"""Listens without pause and starts a turn for every utterance.

The microphone is read by one task that does nothing but endpointing, so a slow recognition never costs a
frame. Turns are recognised in the order they were spoken; a newer turn that has something to do ends the
older one's speech and motion first. A stop is looked at before anything else waits: it overtakes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import numpy as np

from claudiad.app.ledger import TurnRecord, canonical_line
from claudiad.app.parts import Parts
from claudiad.app.turn import Judged, Turn
from claudiad.audio.endpoint import Endpointer, UtteranceCommitted
from claudiad.audio.microphone import Microphone
from claudiad.errors import ClaudiaError
from claudiad.robot.base import FOREIGN
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Decision, Frame, Pcm, Utterance

log = logging.getLogger(__name__)

QUEUE = 8
"""Utterances waiting for recognition; more than this means the recogniser cannot keep up, the oldest is dropped."""
EARLY_STOP_SILENCE_MS = 100
"""While the robot moves or speaks, an utterance is checked for a stop after this little silence, before its commit."""
SAME_BREATH_S = 1.2
"""A command that begins this soon after another belongs to it: 立って … 挨拶して is both, in order."""


class Conversation:
    """The loop from frames to turns. `run` ends when the microphone does, after the last turn."""

    def __init__(
        self, parts: Parts, microphone: Microphone, on_turn: Callable[[TurnRecord], None] | None = None
    ) -> None:
        self._parts = parts
        self._microphone = microphone
        self._endpointer = Endpointer(parts.settings.endpoint)
        self._on_turn = on_turn
        self._queue: asyncio.Queue[tuple[UtteranceCommitted, float] | None] = asyncio.Queue(QUEUE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._early: asyncio.Task[None] | None = None
        self._checked_at = -1
        self._stopped_at = -1
        """Sample up to which the stop listener had heard when it last stopped the robot."""
        self._stop_times: tuple[float, float | None] | None = None
        """When it asked for that StopMove, and when it was acknowledged."""
        self._turns = 0
        self._foreign = False
        self._deciding = False
        self._pre_roll = parts.settings.endpoint.pre_roll_ms * SAMPLE_RATE // 1000
        self._commanded_until = -SAMPLE_RATE * 3600
        """Sample at which the last command ended; long ago at first."""

    async def run(self) -> None:
        """Until the microphone ends or the task is cancelled; then nothing plays and nothing moves."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(), name="listen")
                group.create_task(self._converse(), name="converse")
        finally:
            await self._quiet()

    @property
    def turns(self) -> int:
        """Turns begun so far; the next one's number is one more."""
        return self._turns

    @property
    def idle(self) -> bool:
        """Nothing said is waiting, nothing is being recognised, nothing is being done."""
        return not self._endpointer.in_speech and self._queue.empty() and not self._deciding and not self._tasks

    async def _listen(self) -> None:
        frames = self._microphone.frames()
        async for frame in frames:
            for event in self._endpointer.push(frame):
                self._put(event, frame)
            self._look_for_stop()
            self._look_for_others()
        last = Frame(_NOTHING, self._endpointer.last_voiced_sample, self._parts.clock.now())
        for event in self._endpointer.flush():
            self._put(event, last)
        await self._queue.put(None)

    def _put(self, event: object, frame: Frame) -> None:
        if not isinstance(event, UtteranceCommitted):
            return
        if self._queue.full():
            lost, _ = self._queue.get_nowait() or (None, 0.0)
            log.warning(
                "recognition cannot keep up: an utterance was dropped (%s)", "end" if lost is None else "speech"
            )
        since = (frame.start_sample + FRAME_SAMPLES - event.utterance.speech_end_sample) / SAMPLE_RATE
        self._queue.put_nowait((event, frame.captured_at - max(0.0, since)))

    async def _converse(self) -> None:
        while (item := await self._queue.get()) is not None:
            event, speech_end_at = item
            self._deciding = True
            self._turns += 1
            turn = Turn(
                self._turns, event.utterance, speech_end_at, self._parts, partial(self._broke_in, event.utterance)
            )
            try:
                judged = await turn.listen()
                await self._begin(turn, judged)
            except Exception:
                await self._failed(turn)
            finally:
                self._deciding = False
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _begin(self, turn: Turn, judged: Judged) -> None:
        """Start what the utterance calls for, and end what it ends."""
        if judged.stop is None and judged.decision is None:
            self._report(turn.finish(await turn.act(judged)))
            return
        if judged.stop is None and judged.decision is not None:
            await self._make_way(turn, judged.decision)
        if judged.decision is not None and judged.decision.actions:
            self._commanded_until = turn.utterance.speech_end_sample
        if judged.stop is not None:
            self._credit(turn)
        work = turn.stop if judged.stop is not None else turn.act
        task = asyncio.create_task(self._carry_out(turn, work(judged)), name=f"turn-{turn.number}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.sleep(0)  # a StopMove is on its way before the next utterance is even looked at

    async def _make_way(self, turn: Turn, decision: Decision) -> None:
        """A newer command replaces what is under way; one spoken in the same breath follows it instead."""
        moving = self._parts.dispatcher.running is not None
        pause = turn.utterance.start_sample + self._pre_roll - self._commanded_until
        if moving and decision.actions and pause <= SAME_BREATH_S * SAMPLE_RATE:
            return
        if decision.actions or decision.reply:
            self._parts.mouth.cancel()
        if moving and decision.actions:
            await self._parts.dispatcher.stop(reason="a newer command")

    async def _carry_out(self, turn: Turn, work: Coroutine[Any, Any, TurnRecord]) -> None:
        try:
            self._report(turn.finish(await work))
        except Exception:
            await self._failed(turn)

    async def _failed(self, turn: Turn) -> None:
        """A fault in one turn must neither move the robot on nor deafen it: it is said here, and only here."""
        log.exception("turn %d failed; the robot is stopped", turn.number)
        self._parts.mouth.cancel()
        await self._parts.dispatcher.stop(reason="internal error")
        self._report(turn.finish(turn.failed()))

    def _report(self, record: TurnRecord) -> None:
        log.info("%s", canonical_line(record, log_speech=self._parts.settings.privacy.log_speech))
        if self._parts.audit is not None:
            self._parts.audit.write(record.to_json())
        if self._on_turn is not None:
            self._on_turn(record)

    def _look_for_stop(self) -> None:
        """While something is going on, do not wait for the hangover to hear a stop word."""
        e, parts = self._endpointer, self._parts
        if not e.in_speech or e.silence_ms < EARLY_STOP_SILENCE_MS or e.last_voiced_sample == self._checked_at:
            return
        if parts.dispatcher.running is None and not parts.mouth.speaking:
            return
        if self._early is not None and not self._early.done():
            return
        self._checked_at = e.last_voiced_sample
        self._early = asyncio.create_task(self._early_stop(e.current(), self._checked_at), name="early-stop")

    def _look_for_others(self) -> None:
        """Say once that somebody else moves the robot; the robot's engine refuses motions meanwhile."""
        foreign, parts = self._parts.robot.foreign, self._parts
        if foreign and not self._foreign:
            log.warning("somebody else moves the robot (app or remote control): yielding")
            if not parts.mouth.speaking:
                task = asyncio.create_task(self._remark(FOREIGN), name="yielding")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        self._foreign = foreign

    async def _remark(self, text: str) -> None:
        try:
            await self._parts.mouth.say(text)
        except ClaudiaError as fault:
            log.error("could not say it: %s", fault)

    async def _early_stop(self, pcm: Pcm, heard_to: int) -> None:
        """Stop the body and the voice now; the committed utterance will do the talking."""
        parts = self._parts
        try:
            heard = await parts.ears.hear_stop(pcm)
        except Exception:
            log.exception("listening for a stop failed; the whole utterance will tell")
            return
        match = parts.stops.find_stop(heard.transcript.text, moving=parts.dispatcher.running is not None)
        if match is not None:
            self._stopped_at = heard_to
            parts.mouth.cancel()
            sent = parts.clock.now()
            self._stop_times = (sent, None)  # before the wait: the utterance may be committed during it
            report = await parts.dispatcher.stop(reason=parts.quoted(heard.transcript.text), latch=match.latch)
            if report.acknowledged:
                self._stop_times = (sent, parts.clock.now())

    def _broke_in(self, utterance: Utterance) -> bool:
        """Whether the stop listener stopped the robot on the strength of this utterance's beginning."""
        return utterance.start_sample < self._stopped_at <= utterance.speech_end_sample

    def _credit(self, turn: Turn) -> None:
        """A stop that was carried out before its utterance ended counts from when it was."""
        if self._stop_times is None or not self._broke_in(turn.utterance):
            return
        sent, acknowledged = self._stop_times
        turn.ledger.mark("dispatch", sent)
        if acknowledged is not None:
            turn.ledger.mark("stop", acknowledged)

    async def _quiet(self) -> None:
        """Leave nothing playing and nothing moving."""
        self._parts.mouth.cancel()
        pending = [t for t in (*self._tasks, self._early) if t is not None and not t.done()]
        if self._parts.dispatcher.running is not None or self._parts.dispatcher.unsettled:
            await self._parts.dispatcher.stop(reason="shutdown")
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


_NOTHING = np.zeros(0, np.int16)
