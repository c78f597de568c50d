"""What was counted, as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from claudiad.brain.near import Confidences
from claudiad.brain.router import ACTS, ASKS
from training.brain.counts import OTHERS_PER_SLIP, Kind, Tally, Trial, confidences, first_half, slipped, tally, weigh
from training.brain.said import TALK, Source

GOAL = 0.98
"""Of what is acted on by a near miss, how much is to be right."""
BINS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)


def sources(console: Console, trials: Sequence[Trial], strange: int) -> None:
    """How much was said, and how far it came."""
    rows: list[list[object]] = []
    for source in ("command", *TALK):
        for made in (False, True):
            mine = [t for t in trials if t.saying.source == source and t.made == made]
            if not mine:
                continue
            exact = Counter(t.right for t in mine if t.outcome == "understood")
            later = [t for t in mine if t.outcome != "understood"]
            row: list[object] = [source + (", made" if made else ""), len(mine), exact[True], exact[False]]
            for group in (later, [t for t in later if t.outcome == "guess"]):
                row += [len(group), sum(t.passes for t in group)]
            rows.append([*row, sum(t.outcome == "asked at most" for t in later)])
    columns = ("source", "transcripts", "exact", "exact, wrong", "no rule", "let through", "guess", "let through")
    _table(console, "what was heard", (*columns, "asked at most"), rows)
    console.print(f"left out: {strange} commands whose own reading is not understood; made slips: those kept only")


def kinds(console: Console, tallies: Mapping[Kind, Tally], weights: Mapping[Source, float]) -> None:
    """The counts behind every line of the table."""
    sure = confidences(tallies, weights)
    rows: list[list[object]] = []
    for kind, t in tallies.items():
        row: list[object] = [" ".join(map(str, kind)), t.right, t.wrong, t.made_right, t.made_wrong]
        row += [t.talk[source] for source in weights]
        rows.append([*row, f"{t.others(weights):.2f}", *t.row(weights), f"{sure[kind]:.3f}"])
    talk = tuple(f"{source} ×{weight:.2g}" for source, weight in weights.items())
    columns = ("kind", "right", "wrong", "made right", "made wrong", *talk, "talk", "→ right", "→ wrong", "confidence")
    _table(console, f"near misses by kind, {OTHERS_PER_SLIP:g} pieces of talk for each slip", columns, rows)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One guess and how much it counts."""

    confidence: float
    right: bool
    weight: float


def _weighed(trials: Sequence[Trial], sure: Confidences) -> list[Weighed]:
    """Guesses in what was heard or read, not made."""
    weights = weigh(trials)
    return [
        Weighed(sure.get(t.kind, 0.0), t.right, weights.get(t.saying.source, 1.0))
        for t in trials
        if t.outcome == "guess" and t.kind and not t.made
    ]


def _sums(guesses: Iterable[Weighed], low: float, high: float = 2.0) -> tuple[float, float]:
    """(right, wrong), weighed, of those with a confidence from `low` to below `high`."""
    known = [g for g in guesses if low <= g.confidence < high]
    return sum(g.weight for g in known if g.right), sum(g.weight for g in known if not g.right)


def reliability(console: Console, trials: Sequence[Trial], seed: int) -> None:
    """Confidence from one half of the sentences against how often it was right in the other, made slips left out."""
    one = [t for t in trials if first_half(t.saying, seed)]
    other = [t for t in trials if not first_half(t.saying, seed)]
    sure = confidences(tally(one), weigh(one))
    every, through = _weighed(other, sure), _weighed([t for t in other if t.passes], sure)
    rows: list[list[object]] = []
    for low, high in zip(BINS, (*BINS[1:], 1.01), strict=True):
        if sum(_sums(every, low, high)):
            mine = [g for g in every if low <= g.confidence < high]
            mean = sum(g.confidence * g.weight for g in mine) / sum(g.weight for g in mine)
            row: list[object] = [f"{low:.2f} to {min(high, 1.0):.2f}", f"{mean:.3f}"]
            rows.append([*row, *_judged(_sums(every, low, high)), *_judged(_sums(through, low, high))])
    columns = ("confidence", "mean", "right", "wrong", "right %", "let through: right", "wrong", "right %")
    _table(console, "held out: counted on one half, met in the other, talk weighed", columns, rows)


def fates(console: Console, trials: Sequence[Trial], sure: Confidences) -> None:
    """What the router's thresholds make of real slips, and of talk."""
    slips = slipped(trials)
    groups = {"slips": slips, "slips let through": [t for t in slips if t.passes]}
    for source in TALK:
        groups[source] = [t for t in trials if t.saying.source == source and t.outcome != "understood"]
    rows: list[list[object]] = []
    for name, mine in groups.items():
        n = Counter((_fate(t, sure), t.right) for t in mine)
        cells = [n[fate, right] for fate in ("done", "asked") for right in (True, False)]
        rows.append([name, len(mine), *(_of(count, len(mine)) for count in (*cells, len(mine) - sum(cells)))])
    columns = ("with no rule", "n", "done rightly", "done wrongly", "asked rightly", "asked wrongly", "neither")
    _table(console, f"with ACTS = {ACTS}, ASKS = {ASKS}", columns, rows)


def _fate(trial: Trial, sure: Confidences) -> str:
    level = sure.get(trial.kind, 0.0) if trial.kind else 0.0
    if trial.outcome == "guess" and level >= ACTS:
        return "done"
    return "asked" if trial.kind and level >= ASKS else "neither"


def thresholds(console: Console, trials: Sequence[Trial], sure: Confidences) -> None:
    """What other thresholds would do, and the lowest that reaches the goal for what the vocabulary score lets through."""
    every, through = _weighed(trials, sure), _weighed([t for t in trials if t.passes], sure)
    rows: list[list[object]] = []
    best: float | None = None
    for level in sorted({g.confidence for g in every}, reverse=True):
        right, wrong = _sums(through, level)
        if right + wrong and right >= GOAL * (right + wrong):
            best = level
        rows.append([f"{level:.3f}", *_judged(_sums(every, level)), *_judged((right, wrong))])
    columns = ("acts from", "right", "wrong", "right %", "let through: right", "wrong", "right %")
    _table(console, "other thresholds, talk weighed", columns, rows)
    said = "no threshold reaches it" if best is None else f"the lowest threshold that reaches it is {best:.3f}"
    console.print(f"goal: of what is let through and acted on {GOAL:.0%} right; {said}")


def mistakes(console: Console, trials: Sequence[Trial]) -> None:
    """Every guess that is wrong."""
    for t in trials:
        if t.outcome == "guess" and not t.right:
            mark = "made" if t.made else "let through" if t.passes else "dropped"
            kind = " ".join(map(str, t.kind or ()))
            line = f"{t.saying.source}, {mark}, {kind}: 「{t.saying.text}」 {t.kana} → {t.guessed}"
            console.print(line, markup=False, soft_wrap=True)


def _table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    shown = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        shown.add_column(column, justify="left" if i == 0 else "right")
    for row in rows:
        shown.add_row(*map(str, row))
    console.print(shown)


def _of(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})" if whole else "0"


def _judged(sums: tuple[float, float]) -> list[str]:
    right, wrong = sums
    share = f"{100 * right / (right + wrong):.1f}" if right + wrong else "-"
    return [f"{right:.0f}", f"{wrong:.1f}", share]
