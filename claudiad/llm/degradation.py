"""A language model that has become slow for good is noticed, once. Pure.

On a Jetson, 37 tokens/s fell to 5 after models had been unloaded and loaded again, and stayed there until a reboot.
Each model is its own measure: the highest median of `BASELINE_OF` answers in a row so far, so that a start on a busy
or already slow machine puts the measure too low only until the machine has shown what it can do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from claudiad.llm.model import Done

BASELINE_OF = 10
"""Answers whose median is a baseline."""
LATELY = 5
"""Answers whose median is the speed now: fewer than half of them may be flukes."""
DROPPED = 0.5
"""Of the baseline: at or below, it has degraded."""
RECOVERED = 0.75
"""Of the baseline: at or above, it has recovered; what lies between is neither, so that nothing is said twice."""
MAX_MODELS = 16


@dataclass(frozen=True, slots=True)
class Report:
    """A model has become slow for good, or is well again."""

    model: str
    baseline: float
    """Tokens per second."""
    now: float
    """Tokens per second."""
    recovered: bool = False

    @property
    def english(self) -> str:
        """For the log: one line with the remedy."""
        if self.recovered:
            return f"{self.model} is as quick as before: {self.now:.1f} tokens/s"
        return (
            f"{self.model} has become slow: {self.now:.1f} tokens/s instead of {self.baseline:.1f}; "
            "keep models loaded (keep_alive); reboot"
        )


Speed = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Kept(BaseModel):
    """What of one model survives a restart."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    baseline: Speed | None
    recent: Annotated[list[Speed], Field(max_length=BASELINE_OF)]
    degraded: bool


class Degradation:
    """Watches one model."""

    def __init__(self, model: str, kept: Kept | None = None) -> None:
        self.model = model
        self._baseline = kept.baseline if kept else None
        self._recent = deque(kept.recent if kept else (), maxlen=BASELINE_OF)
        self._degraded = kept.degraded if kept else False

    @property
    def baseline(self) -> float | None:
        """Tokens per second; None until `BASELINE_OF` answers were long enough to tell."""
        return self._baseline

    @property
    def degraded(self) -> Report | None:
        """What is the matter, as long as it is."""
        return self._report() if self._degraded else None

    def observe(self, done: Done) -> Report | None:
        """Count an answer; a report when that changes something. Short answers say nothing about speed."""
        if not done.tokens_per_s:
            return None
        self._recent.append(done.tokens_per_s)
        if len(self._recent) == BASELINE_OF:
            self._baseline = max(self._baseline or 0.0, median(self._recent))
        if self._baseline is None or len(self._recent) < LATELY:
            return None
        share = self._now() / self._baseline
        if share <= DROPPED and not self._degraded:
            self._degraded = True
            return self._report()
        if share >= RECOVERED and self._degraded:
            self._degraded = False
            return self._report(recovered=True)
        return None

    def kept(self) -> Kept:
        """What is to survive a restart."""
        return Kept(baseline=self._baseline, recent=list(self._recent), degraded=self._degraded)

    def _now(self) -> float:
        return median(islice(reversed(self._recent), LATELY))

    def _report(self, *, recovered: bool = False) -> Report:
        return Report(self.model, self._baseline or 0.0, self._now(), recovered)


class Degradations:
    """Watches all models, `MAX_MODELS` at most; of more, the one that answered longest ago is forgotten."""

    def __init__(self) -> None:
        self._by_model: dict[str, Degradation] = {}

    @property
    def degraded(self) -> tuple[Report, ...]:
        """The models that are slow now."""
        return tuple(report for each in self._by_model.values() if (report := each.degraded))

    def of(self, model: str) -> Degradation:
        """The watch on one model."""
        watch = self._by_model.pop(model, None) or Degradation(model)
        self._by_model[model] = watch
        while len(self._by_model) > MAX_MODELS:
            del self._by_model[next(iter(self._by_model))]
        return watch

    def observe(self, model: str, done: Done) -> Report | None:
        """As `Degradation.observe`."""
        return self.of(model).observe(done)

    def to_json(self) -> dict[str, Kept]:
        """What is to survive a restart, for `claudiad.llm.figures` to write."""
        return {model: watch.kept() for model, watch in self._by_model.items()}

    def from_json(self, kept: Mapping[str, Kept]) -> None:
        """Go on where an earlier run ended."""
        for model, each in list(kept.items())[-MAX_MODELS:]:
            self._by_model[model] = Degradation(model, each)
