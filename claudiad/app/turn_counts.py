"""Counts and times of the turns since the start, for `claudiactl stats`. `claudiad report` knows the days before."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, Final

from claudiad.app.ledger import TurnRecord, over_budget
from claudiad.config import TurnSettings

KEPT: Final = 500
"""Times of so many turns, the newest: what a percentile is taken of."""
TIMES: Final = (
    "stt",
    "decide",
    "speech_end_to_first_token",
    "speech_end_to_dispatch",
    "speech_end_to_first_audio",
    "speech_end_to_stop",
)


class TurnCounts:
    """Fed with every record of a conversation; bounded, whatever was said."""

    def __init__(self) -> None:
        self._turns = 0
        self._routes: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._refused = 0
        self._over_budget = 0
        self._repairs: Counter[str] = Counter()
        self._times: dict[str, deque[float]] = {name: deque(maxlen=KEPT) for name in TIMES}

    def note(self, record: TurnRecord, budgets: TurnSettings) -> None:
        """A turn is over; `budgets` are those in force."""
        self._turns += 1
        if record.dropped is not None:
            self._dropped[record.dropped] += 1
        else:
            self._routes[record.route] += 1
        self._outcomes.update(step.outcome for step in record.steps)
        self._repairs.update(record.repairs)
        self._refused += len(record.refused)
        self._over_budget += bool(over_budget(record, budgets))
        for name, kept in self._times.items():
            if (ms := record.timings_ms.get(name)) is not None:
                kept.append(ms)

    def to_json(self) -> dict[str, Any]:
        """`times_ms` has what was measured at all: of each how many, median, 90th percentile and worst."""
        return {
            "turns": self._turns,
            "routes": dict(self._routes.most_common()),
            "dropped": dict(self._dropped.most_common()),
            "actions": dict(self._outcomes.most_common()),
            "refused": self._refused,
            "over_budget": self._over_budget,
            "repairs": dict(self._repairs.most_common()),
            "times_ms": {name: spread(kept) for name, kept in self._times.items() if kept},
        }


def spread(values: Iterable[float]) -> dict[str, float]:
    """How many, p50, p90 (nearest rank) and max. Raises ValueError for none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values have no spread")

    def rank(percent: int) -> float:
        return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)

    return {"n": len(ordered), "p50": rank(50), "p90": rank(90), "max": round(ordered[-1], 3)}
