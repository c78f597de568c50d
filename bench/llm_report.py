"""The figures of bench.llm as tables, beside their goals, and as build/bench-llm.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.llm_clause import Beginning
from bench.llm_hedge import Turn
from bench.llm_overhead import BARE, OURS
from bench.report import Machine, percentile_table, percentiles, save
from claudiad.config import Settings
from claudiad.llm.budget import Budget

OVERHEAD_P50_MS, OVERHEAD_P99_MS = 3.0, 10.0
SOONER = 3.0


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run."""

    first_token_ms: dict[str, list[float]]
    """Of each way, in the order of the rounds."""
    beginnings: tuple[Beginning, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure and what it is to be."""

    what: str
    goal: str
    measured: str
    met: bool


def show(console: Console, run: Results, where: Machine) -> int:
    """Print and save; 0."""
    base = run.first_token_ms[BARE]
    over = {
        f"{way}, over {BARE}": [ms - bare for ms, bare in zip(values, base, strict=True)]
        for way, values in run.first_token_ms.items()
        if way != BARE
    }
    percentile_table(console, {**run.first_token_ms, **over}, "to the first token, ms; differences within a round", 1)
    spoken = {
        name: [b.first_sound_ms for b in run.beginnings if b.streamed is streamed]
        for name, streamed in (("clause by clause", True), ("whole answer awaited", False))
    }
    percentile_table(console, spoken, "from the question to the first sound, ms")
    hedged: dict[str, list[float]] = {}
    for turn in run.turns:
        hedged.setdefault(_row(turn), []).append(_waited(turn))
    percentile_table(console, hedged, "from the end of speech to the first token, or until it was given up, ms")
    goals = [*_overhead(run), _sooner(spoken), *_within_budget(run.turns)]
    table = Table("", "goal", "measured", "")
    for goal in goals:
        table.add_row(goal.what, goal.goal, goal.measured, "met" if goal.met else "[red]missed[/]")
    console.print(table)
    rows = {**run.first_token_ms, **over, **spoken, **hedged}
    result = {
        "goals": [asdict(goal) for goal in goals],
        "ms": {name: {"n": len(values), **percentiles(values)} for name, values in rows.items()},
        "first_token_ms": run.first_token_ms,
        "beginnings": [asdict(each) for each in run.beginnings],
        "turns": [asdict(each) for each in run.turns],
    }
    console.print(f"written to {save('bench-llm', where, result)}")
    return 0


def _overhead(run: Results) -> list[Goal]:
    """Of the differences within a round, which is the stricter reading; the difference of the percentiles beside it."""
    bare, ours = run.first_token_ms[BARE], run.first_token_ms[OURS]
    paired = percentiles([b - a for a, b in zip(bare, ours, strict=True)])
    return [
        Goal(
            f"overhead at the first token, {p}",
            f"≤{goal:g} ms",
            f"{paired[p]:.1f} ms (difference of the {p}: {percentiles(ours)[p] - percentiles(bare)[p]:.1f})",
            paired[p] <= goal,
        )
        for p, goal in (("p50", OVERHEAD_P50_MS), ("p99", OVERHEAD_P99_MS))
    ]


def _sooner(spoken: dict[str, list[float]]) -> Goal:
    streamed, whole = (median(values) for values in spoken.values())
    measured = f"{whole / streamed:.2f} × ({streamed:.0f} instead of {whole:.0f} ms)"
    return Goal("first sound sooner than with the whole answer", f"≥{SOONER:g} ×", measured, whole >= SOONER * streamed)


def _within_budget(turns: Sequence[Turn]) -> list[Goal]:
    """Of the turns whose budget was whole when the models were asked."""
    goals = []
    for row in dict.fromkeys(_row(turn) for turn in turns if turn.hedge and not turn.gone_ms):
        mine = [turn for turn in turns if _row(turn) == row]
        budget = Budget.of(mine[0].request_class, Settings().turn, 0.0).first_token_s * 1000.0
        p95 = percentiles([_waited(turn) for turn in mine])["p95"]
        goals.append(Goal(f"first token, p95: {row}", f"≤{budget:.0f} ms", f"{p95:.0f} ms", p95 <= budget))
    return goals


def _row(turn: Turn) -> str:
    words = [turn.request_class.value, "hedge" if turn.hedge else "no hedge", "real" if turn.real else "virtual"]
    return ", ".join([*words, *([f"{turn.gone_ms:.0f} ms gone"] if turn.gone_ms else [])])


def _waited(turn: Turn) -> float:
    return turn.over_ms if turn.first_token_ms is None else turn.first_token_ms
