"""The last turns of a conversation, as a model is told them. Pure: the time is passed in.

What is remembered is what happened: the words that were really spoken, also when the reply was cut, and what was
really done.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from claudiad.llm.schema import Step


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn."""

    said: str
    """By the person, as heard."""
    spoken: str
    """By the robot, as far as it got; may be empty when something was done."""
    actions: tuple[Step, ...]
    """What was done, as a model writes it (`claudiad.llm.schema.steps_of`)."""
    at: float
    """When it ended, seconds, monotonic."""


class Memory:
    """At most `turns` exchanges, none older than `seconds`. Not for several threads."""

    def __init__(self, turns: int, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[Exchange] = deque(maxlen=turns)

    def add(self, exchange: Exchange, now: float) -> None:
        """Remember it, unless nothing was spoken and nothing done: then it says nothing about how to go on."""
        self._forget(now)
        if exchange.said.strip() and (exchange.spoken.strip() or exchange.actions):
            self._kept.append(exchange)

    def recent(self, now: float) -> tuple[Exchange, ...]:
        """What is remembered at `now`, oldest first."""
        self._forget(now)
        return tuple(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def _forget(self, now: float) -> None:
        while self._kept and now - self._kept[0].at > self._seconds:
            self._kept.popleft()
