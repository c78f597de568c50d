"""The stops as a table and as build/bench-stop.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console

from bench.report import Machine, percentile_table, percentiles, save

P99_MS, WORST_MS = 20.0, 50.0
"""Goals for the time from the decision to StopMove at the robot."""

STOP_MOVE = "StopMove"


@dataclass(slots=True)
class Trial:
    """One stop; times are monotonic seconds unless the name says otherwise."""

    situation: str
    latch: bool
    step: str | None
    """The action that was under way at the decision."""
    steps_done: int
    """Steps of the command that were completed before."""
    given: float
    """When the command was given that was to be stopped: until then the stop before this one holds."""
    decided: float
    acknowledged: bool
    attempts: int
    acknowledged_ms: float
    held: bool
    """What was asked for while the stop was latched was refused (true where it was not latched)."""
    wire_ms: float | None = None
    """From the decision to StopMove in the simulator's log; None = it is not there."""
    after: list[str] = field(default_factory=list)
    """Calls, of any service, other than StopMove, that arrived after it and before the next command was given."""

    def read(self, calls: Sequence[Mapping[str, Any]], end: float) -> None:
        """Look the stop up in the simulator's log, where the next command was given at `end`.

        A walk that arrives at that very moment sends a StopMove too. So the last one before the acknowledgement is
        taken, unless there were several attempts: then the first.
        """
        mine = [call for call in calls if self.decided <= call["t"] < end]
        stops = [call["t"] for call in mine if call["name"] == STOP_MOVE]
        if not stops:
            return
        answered = self.decided + self.acknowledged_ms / 1000.0
        before = [t for t in stops if t <= answered] if self.attempts == 1 else []
        at = before[-1] if before else stops[0]
        self.wire_ms = (at - self.decided) * 1000.0
        self.after = [str(call["name"]) for call in mine if call["t"] > stops[0] and call["name"] != STOP_MOVE]


def show(console: Console, trials: Sequence[Trial], shown: Mapping[str, str], where: Machine) -> bool:
    """Print and save; whether every stop arrived, was acknowledged and had nothing behind it."""
    rows = {name: [trial for trial in trials if trial.situation == name] for name in shown}
    wire = {shown[name]: [t.wire_ms for t in row if t.wire_ms is not None] for name, row in rows.items()}
    percentile_table(console, wire, "ms from the decision to StopMove at the robot", digits=2)
    acknowledged = {shown[name]: [t.acknowledged_ms for t in row if t.acknowledged] for name, row in rows.items()}
    percentile_table(console, acknowledged, "ms from the decision to its acknowledgement", digits=2)
    if steps := Counter(f"step {t.steps_done + 1}" for t in rows.get("sequence", ()) if t.step):
        console.print("the sequence was stopped in: " + ", ".join(f"{step} {n}×" for step, n in sorted(steps.items())))
    missed = [name for name, values in wire.items() if values and _missed(percentiles(values))]
    goal = f"goal: p99 at most {P99_MS:g} ms, worst at most {WORST_MS:g} ms"
    console.print(f"{goal}: [bold red]missed: {', '.join(missed)}[/]" if missed else f"{goal}: met in every situation")
    lost = sum(t.wire_ms is None for t in trials)
    silent = sum(not t.acknowledged for t in trials)
    again = sum(t.attempts > 1 for t in trials)
    strays = Counter((t.situation, call) for t in trials for call in t.after)
    moved = sum(not t.held for t in trials)
    console.print(
        f"of {len(trials)} stops: not arrived {lost}, not acknowledged {silent}, more than one attempt {again}\n"
        f"calls after a stop and before the next command: {strays.total()}\n"
        f"of {sum(t.latch for t in trials)} commands given while the stop was latched, not refused: {moved}"
    )
    for (name, call), n in strays.items():
        console.print(f"  [bold red]after a stop[/] ({shown[name]}): {call} {n}×")
    result = {
        "trials": {name: len(row) for name, row in rows.items()},
        "goal_ms": {"p99": P99_MS, "max": WORST_MS},
        "wire_ms": {name: {"n": len(values), **percentiles(values)} for name, values in wire.items()},
        "acknowledged_ms": {name: {"n": len(values), **percentiles(values)} for name, values in acknowledged.items()},
        "goals_missed": missed,
        "not_arrived": lost,
        "not_acknowledged": silent,
        "more_than_one_attempt": again,
        "calls_after_a_stop": strays.total(),
        "not_refused_while_latched": moved,
        "each": [asdict(trial) for trial in trials],
    }
    console.print(f"written to {save('bench-stop', where, result)}")
    return not (lost or silent or strays or moved)


def _missed(points: Mapping[str, float]) -> bool:
    return points["p99"] > P99_MS or points["max"] > WORST_MS
