"""What is left of a turn's time, and for what. Pure.

The zero is the end of speech, not the end of recognition: what endpointing, recognition and the decision took is gone,
and the model gets the rest (docs/architecture.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from claudiad.config import TurnSettings
from claudiad.llm.request_class import RequestClass

PATIENCE = 4.0
"""How many times its class's budget a first token is waited for at all, with a filler to bridge it."""
TO_SAY_IT_S = 0.5
"""Kept back from the turn's time so that the answer without a model still begins within it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Deadlines of one request to the models, in clock seconds."""

    zero_at: float
    """The person stopped speaking."""
    first_token_s: float
    """Of the request's class."""
    turn_s: float
    """Of the whole turn."""

    @classmethod
    def of(cls, request_class: RequestClass, settings: TurnSettings, zero_at: float) -> Budget:
        """The settings' budget for a request of this class."""
        ms = {
            RequestClass.GREETING: settings.greeting_budget_ms,
            RequestClass.SIMPLE: settings.simple_budget_ms,
            RequestClass.COMPLEX: settings.complex_budget_ms,
        }[request_class]
        return cls(zero_at, ms / 1000.0, settings.turn_budget_ms / 1000.0)

    @property
    def first_token_at(self) -> float:
        """From here on a first token is late."""
        return self.zero_at + self.first_token_s

    @property
    def give_up_at(self) -> float:
        """Without a first token by now, the answer is the one that needs no model."""
        return self.zero_at + min(self.first_token_s * PATIENCE, self.turn_s - TO_SAY_IT_S)

    @property
    def end_at(self) -> float:
        """What is not written by now is not waited for."""
        return self.zero_at + self.turn_s

    def first_token_left_ms(self, now: float) -> float:
        """What is left for the first token, in ms; 0 when it is late already."""
        return max(0.0, (self.first_token_at - now) * 1000.0)
