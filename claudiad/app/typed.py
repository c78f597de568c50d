"""Sentences that were typed to a conversation (`claudiactl ask`), and who waits for what becomes of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from claudiad.app.judge import Judged
from claudiad.app.ledger import TurnRecord
from claudiad.errors import Busy, ClaudiaError

MOST = 4
"""Under way at a time: a robot does one thing after the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """One on its way to its turn."""

    text: str
    stop: Judged | None
    """The stop that was in it, carried out already; None: it is judged when its turn comes."""
    answer: asyncio.Future[TurnRecord]


class Typed:
    """All that are under way. It belongs to the event loop; everybody who waits gets an answer, if only a Busy."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[TurnRecord]] = set()
        self._turns: dict[int, asyncio.Future[TurnRecord]] = {}

    def check(self) -> None:
        """Raises Busy when there is no room for another one."""
        if len(self._waiting) >= MOST:
            raise Busy("too much was asked at once: wait for the answers, or stop the robot")

    def sentence(self, text: str, stop: Judged | None) -> Sentence:
        """A new one."""
        answer: asyncio.Future[TurnRecord] = asyncio.get_running_loop().create_future()
        self._waiting.add(answer)
        answer.add_done_callback(self._waiting.discard)
        return Sentence(text, stop, answer)

    def begins(self, sentence: Sentence, turn: int) -> None:
        """It is the turn of this number that tells what became of it."""
        self._turns[turn] = sentence.answer

    def over(self, record: TurnRecord) -> None:
        """A turn is over, typed or spoken."""
        answer = self._turns.pop(record.turn, None)
        if answer is not None and not answer.done():
            answer.set_result(record)

    def lost(self, sentence: Sentence) -> None:
        """It will have no turn."""
        _fail(sentence.answer, Busy("it had to give way to what was said"))

    def close(self) -> None:
        """No turn will come any more."""
        for answer in tuple(self._waiting):
            _fail(answer, Busy("the conversation ended before its turn came to an end: ask again"))


def _fail(answer: asyncio.Future[TurnRecord], fault: ClaudiaError) -> None:
    if not answer.done():
        answer.set_exception(fault)
