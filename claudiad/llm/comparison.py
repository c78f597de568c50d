"""What a model's answers to the cases are worth: judged one by one, and as figures. Pure.

Every figure is a share of everything that was asked: an answer that did not come is wrong, no JSON, not clean and not
in time. So a model cannot look better by failing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import comb
from statistics import median
from typing import Any

import numpy as np

from claudiad.llm.answer import AnswerReader
from claudiad.llm.cases import Case
from claudiad.llm.degradation import DROPPED
from claudiad.llm.measured import Measured
from claudiad.purity.filter import purify
from claudiad.robot.registry import ActionSpec

WEIGHTS: Mapping[str, int] = {"accuracy": 40, "sequence_accuracy": 15, "json_validity": 15, "purity": 20, "in_time": 10}
"""Points of the quality score, 100 in all. What does not occur (no sequences among the cases) leaves its points to the
others in proportion."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One case asked once."""

    case: Case
    text: str
    """What was written, whole or not."""
    actions: tuple[str, ...]
    """Names of what was chosen; empty also when the answer cannot be used."""
    reply: str
    invented: tuple[str, ...]
    """Ids and names that are not registered."""
    right: bool
    valid: bool
    """One whole JSON object of a known form."""
    pure: bool
    """There is a reply, and the filter before the voice finds nothing in it."""
    findings: tuple[str, ...]
    """Kinds of what the filter found."""
    in_time: bool
    """The first token came within the budget of the request's class."""
    first_token_ms: float | None
    tokens_per_s: float | None
    fault: str
    """Why there is no complete answer, or ""."""


@dataclass(frozen=True, slots=True)
class Scores:
    """All attempts of one model. Shares are 0 to 1."""

    asked: int
    failed: int
    accuracy: float
    sequence_accuracy: float | None
    """Of the cases with two actions or more; None: there are none."""
    json_validity: float
    purity: float
    invented: int
    """Answers with an action that is not registered."""
    in_time: float
    first_token_p50_ms: float | None
    first_token_p90_ms: float | None
    tokens_per_s: float | None
    """Median."""
    quality: float
    """0 to 100, by `WEIGHTS`."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """Tokens per second for one and the same request, before and after the cases; None where it was not to be had."""

    before: float | None
    after: float | None

    @property
    def dropped(self) -> bool:
        """It has become as slow as a model that has degraded (`claudiad.llm.degradation`)."""
        return self.before is not None and self.after is not None and self.after <= self.before * DROPPED


@dataclass(frozen=True, slots=True)
class Result:
    """One model over all cases."""

    label: str
    """As named on the command line."""
    model: str
    load_s: float
    """How long it took until it could be asked, seconds."""
    gpu_share: float | None
    attempts: tuple[Attempt, ...]
    speeds: Speeds

    @property
    def scores(self) -> Scores:
        """The sum of it."""
        return scores_of(self.attempts)

    def summary(self) -> dict[str, Any]:
        """For JSON, without the attempts."""
        speeds = {"tokens_per_s_before": self.speeds.before, "tokens_per_s_after": self.speeds.after}
        about = {"label": self.label, "model": self.model, "load_s": self.load_s, "gpu_share": self.gpu_share}
        return _rounded(about | asdict(self.scores) | speeds | {"speed_dropped": self.speeds.dropped})

    def detail(self) -> list[dict[str, Any]]:
        """For JSON, every attempt."""
        return [
            {"line": each.case.line, "said": each.case.text, "expected": each.case.written}
            | {name: value for name, value in _rounded(asdict(each)).items() if name != "case"}
            for each in self.attempts
        ]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two models case by case."""

    first_better: int
    """Cases of which the first one had more attempts right."""
    second_better: int
    chance: float
    """Probability of a difference at least as large between models that are equally good (sign test, two-sided)."""


def judge(
    case: Case, got: Measured, actions: Mapping[str, int], registry: Mapping[str, ActionSpec], budget_ms: float
) -> Attempt:
    """One answer, read as a turn reads it. `actions`: what a model may choose, with ids; `budget_ms`: of its class."""
    reader = AnswerReader(actions)
    reader.feed(got.text)
    answer = reader.finish()
    proposal, whole = answer.proposal, not got.fault
    cut = got.done is not None and got.done.reason == "length"
    valid = whole and answer.form in ("current", "older") and answer.complete and proposal.valid and not cut
    usable = valid and not proposal.unknown
    judged = purify(answer.reply)
    return Attempt(
        case,
        got.text,
        tuple(each.name for each in proposal.actions) if usable else (),
        answer.reply,
        proposal.unknown,
        right=usable and case.right(proposal.actions, registry),
        valid=valid,
        pure=whole and judged.pure and bool(judged.clean),
        findings=tuple(judged.repairs),
        in_time=got.first_token_ms is not None and got.first_token_ms <= budget_ms,
        first_token_ms=got.first_token_ms,
        tokens_per_s=got.done.tokens_per_s if got.done is not None else None,
        fault=got.fault,
    )


def scores_of(attempts: Sequence[Attempt]) -> Scores:
    """The scores of at least one attempt."""
    sequences = [each for each in attempts if each.case.is_sequence]
    waits = [each.first_token_ms for each in attempts if each.first_token_ms is not None]
    speeds = [each.tokens_per_s for each in attempts if each.tokens_per_s is not None]
    accuracy = _share(attempts, lambda each: each.right)
    in_order = _share(sequences, lambda each: each.right) if sequences else None
    validity = _share(attempts, lambda each: each.valid)
    purity = _share(attempts, lambda each: each.pure)
    in_time = _share(attempts, lambda each: each.in_time and not each.fault)
    return Scores(
        asked=len(attempts),
        failed=sum(bool(each.fault) for each in attempts),
        accuracy=accuracy,
        sequence_accuracy=in_order,
        json_validity=validity,
        purity=purity,
        invented=sum(bool(each.invented) for each in attempts),
        in_time=in_time,
        first_token_p50_ms=float(np.percentile(waits, 50)) if waits else None,
        first_token_p90_ms=float(np.percentile(waits, 90)) if waits else None,
        tokens_per_s=median(speeds) if speeds else None,
        quality=_quality(dict(zip(WEIGHTS, (accuracy, in_order, validity, purity, in_time), strict=True))),
    )


def difference(first: Result, second: Result) -> Difference:
    """Whether one of two models was right more often than chance would have it, over the same cases."""
    one, other = _right_by_case(first), _right_by_case(second)
    better = sum(one[line] > other[line] for line in one)
    worse = sum(one[line] < other[line] for line in one)
    n, most = better + worse, max(better, worse)
    tail = sum(comb(n, k) for k in range(most, n + 1)) / 2**n
    return Difference(better, worse, min(1.0, 2 * tail))


def _quality(shares: Mapping[str, float | None]) -> float:
    known = {name: share for name, share in shares.items() if share is not None}
    return 100.0 * sum(WEIGHTS[name] * share for name, share in known.items()) / sum(WEIGHTS[name] for name in known)


def _right_by_case(result: Result) -> dict[int, int]:
    right: dict[int, int] = {}
    for each in result.attempts:
        right[each.case.line] = right.get(each.case.line, 0) + each.right
    return right


def _share(attempts: Sequence[Attempt], holds: Callable[[Attempt], bool]) -> float:
    return sum(map(holds, attempts)) / len(attempts)


def _rounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in fields.items()}
