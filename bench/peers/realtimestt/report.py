"""One table of all systems; what is saved of it; whether the goal was reached against each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.peers.realtimestt.finals import Final, Heard
from bench.peers.realtimestt.stream import Kind
from bench.peers.realtimestt.systems import Ours, System
from bench.report import Machine, percentile_table, percentiles, save

GOAL = 0.5
"""Of the peer's median, at most, with fewer phrases cut."""


@dataclass(frozen=True, slots=True)
class Run:
    """One system on the whole stream."""

    system: System
    heard: tuple[Heard, ...]
    strays: tuple[Final, ...]
    load: float
    """One-minute load average when it began."""

    def latencies(self, kind: Kind | None = None) -> list[float]:
        """Milliseconds from the end of the voice to the final transcript, of one kind of utterance or of all."""
        each = (h.latency_ms for h in self.heard if kind in {None, h.said.kind})
        return [ms for ms in each if ms is not None]

    def cut(self, kind: Kind) -> int:
        return sum(h.cut for h in self.heard if h.said.kind == kind)

    @property
    def joined(self) -> int:
        return sum(h.joined for h in self.heard)

    @property
    def missed(self) -> int:
        return sum(h.missed for h in self.heard)

    @property
    def median(self) -> float:
        """Of all utterances, ms; infinite when there is none."""
        return percentiles(self.latencies()).get("p50", float("inf"))


@dataclass(frozen=True, slots=True)
class Against:
    """claudiad beside one way to run the peer."""

    peer: str
    ratio: float
    """Our median in terms of its."""
    cut: int
    peer_cut: int

    @property
    def quick(self) -> bool:
        """At most half its median."""
        return self.ratio <= GOAL

    @property
    def gentle(self) -> bool:
        """Fewer phrases cut: not as many, even where that is none."""
        return self.cut < self.peer_cut


def compare(ours: Run, peer: Run) -> Against:
    """The two figures of the goal."""
    ratio = ours.median / peer.median if peer.latencies() else float("inf")
    return Against(peer.system.name, ratio, ours.cut("phrase"), peer.cut("phrase"))


def show(console: Console, runs: Sequence[Run], conditions: Mapping[str, Any], where: Machine) -> None:
    """Print and save, with the conditions. A goal that was missed is printed, and fails nothing."""
    kinds: tuple[tuple[Kind, str], ...] = (("command", "commands"), ("phrase", "phrases with pauses inside"))
    for kind, called in kinds:
        rows = {run.system.name: run.latencies(kind) for run in runs}
        percentile_table(console, rows, f"end of the voice → final transcript, ms: {called}")
    console.print(_counts(runs))
    ours = [run for run in runs if isinstance(run.system, Ours)]
    peers = [run for run in runs if not isinstance(run.system, Ours)]
    verdicts = [(own, compare(own, peer), peer) for own in ours for peer in peers]
    for own, against, peer in verdicts:
        console.print(
            f"{own.system.name} against {against.peer}: median {own.median:.0f} to {peer.median:.0f} ms, "
            f"{against.ratio:.2f} of it{_verdict(against.quick)}; "
            f"phrases cut {against.cut} to {against.peer_cut}{_verdict(against.gentle)}"
        )
    console.print(f"(goal, both at once: at most {GOAL:g} of its median, and fewer phrases cut)")
    result = {
        **conditions,
        "goal": {"ratio": GOAL, "cut": "fewer"},
        "systems": {run.system.name: _saved(run) for run in runs},
        "against": [
            {"ours": own.system.name, "peer": a.peer, "ratio": round(a.ratio, 3), "cut": a.cut, "peer_cut": a.peer_cut,
             "quick": a.quick, "gentle": a.gentle} for own, a, _ in verdicts
        ],
    }  # fmt: skip
    console.print(f"written to {save('bench-peer-realtimestt', where, result)}")


def _verdict(reached: bool) -> str:
    return "" if reached else " (missed)"


def _counts(runs: Sequence[Run]) -> Table:
    table = Table("of all", "said", "missed", "commands cut", "phrases cut", "joined", "strays", "load")
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for run in runs:
        figures = (len(run.heard), run.missed, run.cut("command"), run.cut("phrase"), run.joined, len(run.strays))
        table.add_row(run.system.name, *map(str, figures), f"{run.load:.1f}")
    return table


def _saved(run: Run) -> dict[str, Any]:
    return {
        "settings": dict(run.system.turn) if isinstance(run.system, Ours) else run.system.recorder,
        "load": run.load,
        "ms": {kind or "all": percentiles(run.latencies(kind)) for kind in ("command", "phrase", None)},
        "missed": run.missed,
        "joined": run.joined,
        "cut": {kind: run.cut(kind) for kind in ("command", "phrase")},
        "strays": [final.text for final in run.strays],
        "each": [
            {"kind": h.said.kind, "said": h.said.text, "finals": [f.text for f in h.finals], "joined": h.joined,
             "ms": None if h.latency_ms is None else round(h.latency_ms, 1)} for h in run.heard
        ],
    }  # fmt: skip
