"""Hears a stop word while somebody is still speaking, on a recogniser and a thread of its own.

As long as there is something to stop, what was said since the last pause is looked at every `PASS_MS`, and once more
after `SILENCE_MS` of silence. A pass that takes longer is never overtaken by a second one: nothing queues.
"""

from __future__ import annotations

import asyncio
import logging

from claudiad.app.judge import Judge
from claudiad.app.ledger import Ledger
from claudiad.app.parts import Parts
from claudiad.audio.endpoint import Endpointer
from claudiad.brain.emergency import StopMatch
from claudiad.types import SAMPLE_RATE, Pcm, Utterance

log = logging.getLogger(__name__)

FIRST_MS = 250
"""Speech before the first pass: the shortest stop words last longer."""
PASS_MS = 140
"""From the beginning of one pass to that of the next, at least."""
SILENCE_MS = 100
"""Behind this little silence a pass hears the word to its end, well before any commit."""
LONGEST_S = 3.0
"""Only the end of a long piece is listened to: a pass must stay short."""
ROOM_S = 0.1
"""Of what lies before a piece, this much is listened to as well: a soft consonant is not voiced."""


class StopListener:
    """Looks at the utterance in progress, frame by frame."""

    def __init__(self, parts: Parts, judge: Judge) -> None:
        self._parts = parts
        self._judge = judge
        self._task: asyncio.Task[None] | None = None
        self._passed_at = 0
        """Stream position of the last pass."""
        self._heard_to = -1
        """Last voiced sample that was heard with silence behind it."""
        self._stopped_at = -1
        """Sample up to which had been heard when the robot was last stopped."""
        self._match: StopMatch | None = None
        self._times: tuple[float, float | None] | None = None
        """When that StopMove was asked for, and when it was acknowledged."""

    def listen(self, endpointer: Endpointer) -> None:
        """Called with every frame; starts a pass when one is due."""
        if not self._due(endpointer) or not self.something_to_stop():
            return
        self._passed_at = endpointer.position
        if endpointer.silence_ms >= SILENCE_MS:
            self._heard_to = endpointer.last_voiced_sample
        begin = max(endpointer.piece_start_sample - round(ROOM_S * SAMPLE_RATE),
                    endpointer.position - round(LONGEST_S * SAMPLE_RATE))  # fmt: skip
        pcm = endpointer.current(begin)
        self._task = asyncio.create_task(self._pass(pcm, endpointer.position), name="stop-listener")

    def something_to_stop(self) -> bool:
        """The robot moves, may be moving, or speaks. Of a real one nobody can be sure that it stands still."""
        parts = self._parts
        return (
            parts.dispatcher.running is not None
            or parts.dispatcher.unsettled
            or parts.mouth.speaking
            or parts.robot.foreign
            or parts.settings.robot.engine == "go2"
        )

    def broke_in(self, utterance: Utterance) -> StopMatch | None:
        """What the robot was stopped for before this utterance had ended, if it was."""
        return self._match if utterance.start_sample < self._stopped_at <= utterance.commit_sample else None

    def credit(self, utterance: Utterance, ledger: Ledger) -> None:
        """A stop that was carried out before its utterance ended counts from when it was."""
        if self._times is None or self.broke_in(utterance) is None:
            return
        sent, acknowledged = self._times
        ledger.mark("dispatch", sent)
        if acknowledged is not None:
            ledger.mark("stop", acknowledged)

    async def settled(self) -> None:
        """Wait for the pass under way: for input that comes faster than real time."""
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """End the pass under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _due(self, e: Endpointer) -> bool:
        if not e.in_speech or (self._task is not None and not self._task.done()):
            return False
        if e.silence_ms >= SILENCE_MS:
            return e.last_voiced_sample != self._heard_to and e.voiced_ms > 0
        since = (e.position - max(self._passed_at, e.piece_start_sample)) * 1000 // SAMPLE_RATE
        first = self._passed_at <= e.piece_start_sample
        return since >= (FIRST_MS if first else PASS_MS)

    async def _pass(self, pcm: Pcm, heard_to: int) -> None:
        """Stop the body and the voice now; the committed utterance will do the talking."""
        parts = self._parts
        try:
            heard = await parts.ears.hear_stop(pcm)
        except Exception:
            log.exception("listening for a stop failed; the next pass, or the whole utterance, will tell")
            return
        match = self._judge.stop_in(heard.transcript)
        if match is None:
            return
        self._stopped_at, self._match = heard_to, match
        parts.mouth.cancel()
        sent = parts.clock.now()
        self._times = (sent, None)  # before the wait: the utterance may be committed during it
        report = await parts.dispatcher.stop(reason=parts.quoted(heard.transcript.text), latch=match.latch)
        if report.acknowledged:
            self._times = (sent, parts.clock.now())
