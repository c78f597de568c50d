"""Recognise and decide in a pause, before it is certain to be the end; throw it away when it was not.

Nothing here has an effect: what comes out is a `Guess`, which counts at the commit only if nothing more was said, and
whose decision counts only if the robot's state and the context are the same. One guess is worked on at a time: with a
slow recogniser the newest pause waits for it, older ones are forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from claudiad.app.ears import Ears, Heard
from claudiad.app.judge import Basis, Judge
from claudiad.app.parts import Parts
from claudiad.types import Decision, Transcript, Utterance, joined

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guess:
    """What an utterance is if nothing more is said."""

    heard: Heard
    whole: Transcript | None
    """Together with the utterance it goes on from, as one sound, when there is one: a second opinion."""
    heard_at: float
    """Clock time at which it was recognised."""
    basis: Basis
    decision: Decision
    decided_at: float
    decide_s: float
    """What the decision took."""


@dataclass(frozen=True, slots=True)
class Waste:
    """Guesses thrown away because more was said."""

    guesses: int = 0
    work_ms: float = 0.0


class Speculator:
    """Guesses about the utterance in progress. All of it belongs to the event loop."""

    def __init__(
        self,
        parts: Parts,
        judge: Judge,
        before: Callable[[Utterance], Utterance | None],
        on_guess: Callable[[Utterance, Guess], None],
    ) -> None:
        """Args: `before` gives what an utterance goes on from; `on_guess` is told every guess, also one that more
        speech has overtaken.
        """
        self._before = before
        self._parts = parts
        self._judge = judge
        self._on_guess = on_guess
        self._task: asyncio.Task[Guess | None] | None = None
        self._of: Utterance | None = None
        """What the task is about."""
        self._next: Utterance | None = None
        self._guesses = 0
        self._work_ms = 0.0

    def begin(self, utterance: Utterance) -> None:
        """Work on what was said up to this pause."""
        if self._task is not None and not self._task.done():
            self._next = utterance
            return
        self._next = None
        self._of = utterance
        self._task = asyncio.create_task(self._guess(utterance), name="speculation")
        self._task.add_done_callback(self._done)

    def take(self, utterance: Utterance) -> tuple[asyncio.Task[Guess | None] | None, Waste]:
        """At the commit: the guess about exactly this, done or under way, and what was thrown away on the way to it."""
        task, of = self._task, self._of
        mine = task if of is not None and of.speech_end_sample == utterance.speech_end_sample else None
        waste = Waste(self._guesses - (mine is not None), self._work_ms - _work_ms(mine))
        self.forget()
        return mine, waste

    def forget(self) -> None:
        """The utterance has ended, or was none: what is still worked on concerns nobody."""
        self._guesses, self._work_ms, self._of, self._next = 0, 0.0, None, None

    async def settled(self) -> None:
        """Wait until there is nothing to work on: for input that comes faster than real time."""
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """End the work; what a thread has begun ends by itself."""
        self._next = None
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _done(self, task: asyncio.Task[Guess | None]) -> None:
        if not task.cancelled() and self._next is not None:
            self.begin(self._next)

    async def _guess(self, utterance: Utterance) -> Guess | None:
        parts, clock = self._parts, self._parts.clock
        self._guesses += 1
        try:
            heard = await parts.ears.hear_utterance(utterance)
            whole = await hear_whole(parts.ears, self._before(utterance), utterance)
        except Exception:
            log.exception("recognition ahead of the end failed; the whole utterance will tell")
            return None
        self._work_ms += heard.work_ms + (whole.work_ms if whole is not None else 0.0)
        began = clock.now()
        basis = self._judge.basis()
        decision = self._judge.decide(heard.transcript.text)
        guess = Guess(
            heard,
            whole.transcript if whole is not None else None,
            began,
            basis,
            decision,
            clock.now(),
            clock.now() - began,
        )
        self._on_guess(utterance, guess)
        return guess


async def hear_whole(ears: Ears, first: Utterance | None, second: Utterance) -> Heard | None:
    """Both as one sound: a word in two halves is heard better so. None when there is no first."""
    return None if first is None else await ears.hear_utterance(joined(first, second))


def _work_ms(task: asyncio.Task[Guess | None] | None) -> float:
    if task is None or not task.done() or task.cancelled():
        return 0.0
    guess = task.result()
    return guess.heard.work_ms if guess is not None else 0.0
