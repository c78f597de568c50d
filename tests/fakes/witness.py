"""Sees every turn of a conversation, with its ledger."""

from __future__ import annotations

import pytest

from claudiad.app import conversation as conversation_module
from claudiad.app.turn import Turn


class Witness:
    """Every turn there was, with its ledger."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns: list[Turn] = []
        witness = self

        class Watched(Turn):
            def __init__(self, *args: object, **how: object) -> None:
                super().__init__(*args, **how)  # type: ignore[arg-type]
                witness.turns.append(self)

        monkeypatch.setattr(conversation_module, "Turn", Watched)

    def at(self, turn: Turn, key: str) -> float | None:
        """Clock time of one of the ledger's marks."""
        ms = turn.ledger.timings_ms().get(key)
        return None if ms is None else turn.ledger.speech_end_at + ms / 1000.0

    @property
    def commits(self) -> list[float]:
        """Clock times at which utterances were committed, those that went on with a turn among them."""
        return sorted(at for turn in self.turns if (at := self.at(turn, "endpoint")) is not None)

    @property
    def stops(self) -> list[float]:
        """Clock times at which somebody's stop went to the robot."""
        stopped = [t for t in self.turns if t.judged is not None and t.judged.stop is not None]
        return sorted(at for turn in stopped if (at := self.at(turn, "speech_end_to_dispatch")) is not None)
