"""Let a model think ahead of the commit: in the silence that tells whether more is coming, and throw it away if so.

Its thoughts wait to be read, so nothing moves or sounds early (docs/turn-taking.md).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from claudiad.app.parts import Parts
from claudiad.app.speculation import Guess
from claudiad.llm.thinker import Question, Thinking
from claudiad.types import Decision, Utterance


@dataclass(frozen=True, slots=True)
class _Begun:
    utterance: Utterance
    decision: Decision
    thinking: Thinking


class EarlyThought:
    """At most one question is thought about ahead of its commit."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._begun: _Begun | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def question(self, decision: Decision, end_at: float) -> Question | None:
        """What a model is to be asked here and now, or None; `end_at`: clock time of the last voiced sample."""
        parts = self._parts
        if parts.models is None:
            return None
        hour = datetime.now().astimezone().hour
        state, latched = parts.robot.state(), parts.lane.latched
        return parts.models.question(decision, state, latched=latched, hour=hour, zero_at=end_at)

    def begin(self, utterance: Utterance, guess: Guess, end_at: float) -> None:
        """Think about what was said so far, if a model is to be asked about it."""
        self.drop()
        question = self.question(guess.decision, end_at)
        if question is not None and self._parts.models is not None:
            self._begun = _Begun(utterance, guess.decision, self._parts.models.thinker.begin(question))

    def take(self, utterance: Utterance, decision: Decision) -> Thinking | None:
        """At the commit: what was begun about exactly this utterance and decision."""
        begun, self._begun = self._begun, None
        if begun is None:
            return None
        if begun.utterance.speech_end_sample == utterance.speech_end_sample and begun.decision == decision:
            return begun.thinking
        self._close(begun.thinking)
        return None

    def drop(self) -> None:
        """More was said, or nothing is to be done with it."""
        begun, self._begun = self._begun, None
        if begun is not None:
            self._close(begun.thinking)

    async def close(self) -> None:
        """Leave nothing generating."""
        self.drop()
        await asyncio.gather(*self._closing)

    def _close(self, thinking: Thinking) -> None:
        task = asyncio.create_task(thinking.close(), name="forget a thought")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
