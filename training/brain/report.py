"""What was counted, as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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


def _table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    shown = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        shown.add_column(column, justify="left" if i == 0 else "right")
    for row in rows:
        shown.add_row(*map(str, row))
    console.print(shown)


def sources(console: Console, trials: Sequence[Trial], strange: int) -> None:
    """How much was said, and how far it came."""
    rows = []
    for source in ("command", *TALK):
        for made in (False, True):
            mine = [t for t in trials if t.saying.source == source and t.made == made]
            if not mine:
                continue
            n = Counter(t.outcome for t in mine)
            exact = Counter(t.right for t in mine if t.outcome == "understood")
            reached = len(mine) - n["understood"]
            through = sum(t.passes for t in mine if t.outcome != "understood")
            guesses = sum(t.passes for t in mine if t.outcome == "guess")
            rows.append(
                (source + (", made" if made else ""), len(mine), exact[True], exact[False], reached, through)
                + (n["guess"], guesses, n["asked at most"])
            )
    columns = ("source", "transcripts", "exact", "exact, wrong", "no rule", "of them let through", "guess")
    _table(console, "what was heard", (*columns, "of them let through", "asked at most"), rows)
    console.print(f"left out: {strange} commands whose own reading is not understood; made slips: those kept only")


def kinds(console: Console, tallies: Mapping[Kind, Tally], weights: Mapping[Source, float]) -> None:
    """The counts behind every line of the table."""
    sure = confidences(tallies, weights)
    rows = [
        (" ".join(map(str, kind)), t.right, t.wrong, t.made_right, t.made_wrong)
        + tuple(t.talk[source] for source in weights)
        + (f"{t.others(weights):.2f}", *t.row(weights), f"{sure[kind]:.3f}")
        for kind, t in tallies.items()
    ]
    talk = tuple(f"{source} ×{weight:.2g}" for source, weight in weights.items())
    columns = ("kind", "right", "wrong", "made right", "made wrong", *talk, "talk", "→ right", "→ wrong", "confidence")
    _table(console, f"near misses by kind, {OTHERS_PER_SLIP:g} pieces of talk for each slip", columns, rows)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One guess and how much it counts."""

    confidence: float
    right: bool
    talk: bool
    weight: float


def _weighed(trials: Iterable[Trial], sure: Confidences, weights: Mapping[Source, float]) -> list[Weighed]:
    return [
        Weighed(
            sure.get(t.kind, 0.0),
            t.right,
            talk := t.saying.source != "command",
            weights[t.saying.source] if talk else 1.0,
        )
        for t in trials
        if t.outcome == "guess" and t.kind and not t.made
    ]


def _share(guesses: Iterable[Weighed]) -> tuple[float, float]:
    """(right, wrong), weighed."""
    known = list(guesses)
    return sum(g.weight for g in known if g.right), sum(g.weight for g in known if not g.right)


def reliability(console: Console, trials: Sequence[Trial], seed: int) -> None:
    """Confidence from one half of the sentences against how often it was right in the other, made slips left out."""
    one = [t for t in trials if first_half(t.saying, seed)]
    other = [t for t in trials if not first_half(t.saying, seed)]
    guesses = _weighed(other, confidences(tally(one), weigh(one)), weigh(other))
    rows = []
    for low, high in zip(BINS, (*BINS[1:], 1.01), strict=True):
        mine = [g for g in guesses if low <= g.confidence < high]
        if mine:
            right, wrong = _share(mine)
            mean = sum(g.confidence * g.weight for g in mine) / (right + wrong)
            rows.append(
                (
                    f"{low:.2f} to {min(high, 1.0):.2f}",
                    f"{right:.1f}",
                    f"{wrong:.1f}",
                    f"{mean:.3f}",
                    _percent(right, wrong),
                )
            )
    columns = ("confidence", "right", "wrong, with talk", "mean confidence", "right %")
    _table(console, "held out: counted on one half, met in the other", columns, rows)


def thresholds(console: Console, trials: Sequence[Trial], sure: Confidences, weights: Mapping[Source, float]) -> None:
    """What becomes of real slips with the router's thresholds, and what would with others."""
    rows = []
    cases: tuple[tuple[str, Callable[[Trial], bool]], ...] = (
        ("slips", lambda t: True),
        ("slips let through", lambda t: t.passes),
    )
    for name, wanted in cases:
        mine = [t for t in slipped(trials) if wanted(t)]
        done, asked = _fates(mine, sure)
        left = len(mine) - done.total() - asked.total()
        rows.append(
            (name, len(mine), *(_of(n, len(mine)) for n in (done[True], done[False], asked[True], asked[False], left)))
        )
    for source in weights:
        mine = [t for t in trials if t.saying.source == source and t.outcome != "understood"]
        done, asked = _fates(mine, sure)
        left = len(mine) - done.total() - asked.total()
        rows.append(
            (
                source,
                len(mine),
                "-",
                _of(done[False], len(mine)),
                "-",
                _of(asked[False], len(mine)),
                _of(left, len(mine)),
            )
        )
    columns = ("with no rule", "n", "done rightly", "done wrongly", "asked rightly", "asked wrongly", "neither")
    _table(console, f"with ACTS={ACTS}, ASKS={ASKS}", columns, rows)
    guesses = _weighed(trials, sure, weights)
    slips = len(slipped(trials))
    rows = []
    best: float | None = None
    for level in sorted({g.confidence for g in guesses}, reverse=True):
        right, wrong = _share(g for g in guesses if g.confidence >= level)
        if right / (right + wrong) >= GOAL:
            best = level
        commands = sum(1 for g in guesses if g.confidence >= level and not g.talk and g.right)
        rows.append((f"{level:.3f}", _of(commands, slips), f"{right:.0f}", f"{wrong:.1f}", _percent(right, wrong)))
    columns = ("acts from", "of slips done rightly", "right", "wrong, with talk", "right %")
    _table(console, "other thresholds", columns, rows)
    said = "no threshold reaches it" if best is None else f"the lowest that reaches it is {best:.3f}"
    console.print(f"goal: of what is acted on {GOAL:.0%} right; {said}")


def _fates(trials: Sequence[Trial], sure: Confidences) -> tuple[Counter[bool], Counter[bool]]:
    """Done and asked about, by whether that was right."""
    done: Counter[bool] = Counter()
    asked: Counter[bool] = Counter()
    for t in trials:
        level = sure.get(t.kind, 0.0) if t.kind else 0.0
        if t.outcome == "guess" and level >= ACTS:
            done[t.right] += 1
        elif t.kind and level >= ASKS:
            asked[t.right] += 1
    return done, asked


def mistakes(console: Console, trials: Sequence[Trial]) -> None:
    """Every guess that is wrong, most believed kinds last in the table's order."""
    for t in trials:
        if t.outcome == "guess" and not t.right:
            mark = "made" if t.made else "let through" if t.passes else "dropped"
            kind = " ".join(map(str, t.kind or ()))
            console.print(
                f"{t.saying.source}, {mark}, {kind}: 「{t.saying.text}」 {t.kana} → {t.guessed}",
                markup=False,
                soft_wrap=True,
            )


def _of(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})" if whole else "0"


def _percent(right: float, wrong: float) -> str:
    return f"{100 * right / (right + wrong):.1f}"
