"""What the audit log comes to: how much was understood without a model, how fast, what was refused and dropped.

Pure, and in bounded memory: records are added one by one, and of each only counts and classes of times are kept.
Records come from disk: whatever a field holds, adding it raises nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from claudiad.config import TurnSettings
from claudiad.service.histogram import Histogram

WITHOUT_MODEL: Final = frozenset({"emergency", "hotpath", "grammar", "motion", "semantic", "cache"})
WITH_MODEL: Final = frozenset({"llm", "cloud"})
ROUTES: Final = WITHOUT_MODEL | WITH_MODEL | {"fallback", "none"}
STAGES: Final = (
    "endpoint",
    "stt",
    "decide",
    "speech_end_to_transcript",
    "speech_end_to_first_token",
    "speech_end_to_dispatch",
    "speech_end_to_first_audio",
    "speech_end_to_stop",
    "speech_end_to_done",
    "speculation_lead",
    "speculation_waste",
)
PERCENTILES: Final = (50, 90, 99)
KINDS: Final = 200
"""Different reasons, names or models counted each; more are counted together: a log of any size fits into memory."""
OTHERS: Final = "(others)"


@dataclass(frozen=True, slots=True)
class Budgets:
    """Allowed, milliseconds from the end of speech; what is above is a miss."""

    stop: float
    first_move: float
    whole: float

    @classmethod
    def of(cls, turn: TurnSettings) -> Budgets:
        """As the settings have them now, whatever they were when a turn was recorded."""
        return cls(turn.stop_budget_ms, turn.action_budget_ms, turn.turn_budget_ms)


class Report:
    """Add records, then `to_json`."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self.turns = 0
        self.corrupt = 0
        """Lines of the log that are no record."""
        self.first = self.last = ""
        """When the first and the last turn began, as recorded."""
        self._routes: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._repairs: Counter[str] = Counter()
        self._unanswered: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._misses: Counter[str] = Counter()
        self._hedged = 0
        self._times: dict[str, Histogram] = {}
        self._speeds = Histogram()

    def add(self, record: Mapping[str, Any]) -> None:
        """One turn."""
        self.turns += 1
        if started := _word(record.get("started")):
            self.first, self.last = self.first or started, started
        dropped, route = _word(record.get("dropped")), _word(record.get("route"))
        if dropped:
            _count(self._dropped, dropped)
        elif route in ROUTES:
            self._routes[route] += 1
        else:
            self._routes["none"] += 1
        for refused in _objects(record.get("refused")):
            _count(self._refused, f"{_word(refused.get('name')) or '?'}: {_word(refused.get('reason')) or '?'}")
        for action in _objects(record.get("actions")):
            _count(self._outcomes, _word(action.get("outcome")) or "?")
        self._add_times(record, route)
        self._add_model(record)

    @property
    def answered(self) -> int:
        """Turns that were not dropped: somebody spoke to the robot, as far as it can tell."""
        return self.turns - sum(self._dropped.values())

    @property
    def hits(self) -> int:
        """Turns understood without a model."""
        return sum(count for route, count in self._routes.items() if route in WITHOUT_MODEL)

    def to_json(self) -> dict[str, Any]:
        """Everything; lists of counts begin with the most frequent."""
        return {
            "turns": self.turns,
            "corrupt": self.corrupt,
            "first": self.first or None,
            "last": self.last or None,
            "answered": self.answered,
            "understood_without_model": self.hits,
            "hit_rate": _share(self.hits, self.answered),
            "hit_rate_of_all": _share(self.hits, self.turns),
            "routes": dict(self._routes.most_common()),
            "dropped": dict(self._dropped.most_common()),
            "refused": dict(self._refused.most_common()),
            "outcomes": dict(self._outcomes.most_common()),
            "budget_misses": dict(self._misses.most_common()),
            "repairs": dict(self._repairs.most_common()),
            "models": {
                "answers": dict(self._models.most_common()),
                "hedged": self._hedged,
                "unanswered": dict(self._unanswered.most_common()),
                "tokens_per_s_p50": round(self._speeds.percentile(50), 1) if self._speeds.count else None,
            },
            "times_ms": {stage: _times(self._times[stage]) for stage in STAGES if stage in self._times},
        }

    def _add_times(self, record: Mapping[str, Any], route: str) -> None:
        given = record.get("timings_ms")
        times = {
            stage: float(ms) for stage, ms in (given.items() if isinstance(given, Mapping) else ()) if _is_number(ms)
        }
        for stage in STAGES:
            # `decide` is in every record, as 0 where nothing was decided.
            if stage in times and not (stage == "decide" and times[stage] == 0):
                self._times.setdefault(stage, Histogram()).add(times[stage])
        budgets, model = self._budgets, _word(record.get("model"))
        first = budgets.stop if route == "emergency" else budgets.whole if model else budgets.first_move
        token = record.get("first_token_budget_ms")
        for stage, name, allowed in (
            ("speech_end_to_dispatch", "stop" if route == "emergency" else "first move", first),
            ("speech_end_to_first_audio", "first sound", budgets.whole),
            ("speech_end_to_first_token", "first token", float(token) if _is_number(token) else math.inf),
        ):
            if times.get(stage, 0.0) > allowed:
                self._misses[name] += 1

    def _add_model(self, record: Mapping[str, Any]) -> None:
        if model := _word(record.get("model")):
            _count(self._models, model)
            self._hedged += record.get("hedged") is True
            if _is_number(speed := record.get("tokens_per_s")):
                self._speeds.add(float(speed))
        for name, counter in (("repairs", self._repairs), ("unanswered", self._unanswered)):
            values = record.get(name)
            for value in values if isinstance(values, list) else ():
                _count(counter, _word(value) or "?")


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < KINDS else OTHERS] += 1


def _times(histogram: Histogram) -> dict[str, float]:
    found = {f"p{percent}": round(histogram.percentile(percent), 1) for percent in PERCENTILES}
    return {"count": histogram.count} | found | {"max": round(histogram.most, 1)}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _word(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
