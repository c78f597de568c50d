"""The figures of bench.turn as tables and as build/bench-turn.json."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console

from bench.report import Machine, percentile_table, percentiles, save

LONG_MS = 1000.0
"""A stop word longer than this is drawn out, and must act before it ends."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command; times in ms from the end of speech as the log has it unless the name says otherwise."""

    variant: str
    text: str
    stop: bool
    """Said while the robot danced."""
    heard: str
    dropped: str | None
    right: bool
    """Exactly the actions expected, in order."""
    wrong: bool
    """An action that was not expected in its place; doing less than expected is neither right nor wrong."""
    endpoint: float | None
    stt: float | None
    """The work alone."""
    lead: float | None
    """How long before the commit the decision was ready."""
    waste: float
    """Recognition thrown away."""
    dispatch: float | None
    first_audio: float | None
    robot_after_voice: float | None
    """First call in the simulator's own log, from the end of the voice in the clean speech, by level."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop word during a dance; times in ms, by the clean recording and the simulator's log."""

    kind: str
    text: str
    noisy: bool
    length: float
    after_begin: float | None
    after_end: float | None
    heard: str


@dataclass(frozen=True, slots=True)
class PausedTurn:
    """One sentence with pauses in it."""

    pieces: tuple[str, ...]
    pauses_ms: tuple[int, ...]
    expected: tuple[str, ...]
    done: tuple[str, ...]
    turns: int
    right: bool
    """The expected actions; what was begun and revoked may come before them."""
    heard: str


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run."""

    commands: tuple[Command, ...]
    stops: tuple[Stop, ...]
    paused: tuple[PausedTurn, ...]


def show(console: Console, run: Results, where: Machine) -> int:
    """Print and save; 0."""
    tables: dict[str, dict[str, list[float]]] = {}
    for variant in dict.fromkeys(c.variant for c in run.commands):
        mine = [c for c in run.commands if c.variant == variant and not c.stop]
        tables[variant] = {
            "end of speech → commit": _some(c.endpoint for c in mine),
            "end of speech → first command": _some(c.dispatch for c in mine),
            "end of the voice by level → first command at the robot": _some(c.robot_after_voice for c in mine),
            "end of speech → first sound": _some(c.first_audio for c in mine),
            "decision ready before the commit": _some(c.lead for c in mine),
        }
    long = [s for s in run.stops if s.length > LONG_MS and s.kind in ("drawn out", "repeated")]
    tables["stop words during a dance"] = {
        f"{kind}: own end → StopMove": _some(s.after_end for s in run.stops if s.kind == kind)
        for kind in dict.fromkeys(s.kind for s in run.stops)
    } | {
        "over motor noise: own end → StopMove": _some(s.after_end for s in run.stops if s.noisy),
        "all: own end → StopMove": _some(s.after_end for s in run.stops),
        "drawn out or repeated over 1 s: beginning → StopMove": _some(s.after_begin for s in long),
    }
    for name, rows in tables.items():
        console.print(f"\n[bold]{name}[/]")
        percentile_table(console, rows, "ms")
    _right(console, run)
    result = {
        "ms": {
            name: {row: {"n": len(v), **percentiles(v)} for row, v in rows.items()} for name, rows in tables.items()
        },
        "stops_missed": sum(s.after_end is None for s in run.stops),
        "paused_right": sum(p.right and p.turns == 1 for p in run.paused),
        **{name: [asdict(each) for each in getattr(run, name)] for name in ("commands", "stops", "paused")},
    }
    console.print(f"written to {save('bench-turn', where, result)}")
    return 0


def _right(console: Console, run: Results) -> None:
    """How many did what they should, and those that did not."""
    for c in run.commands:
        if not c.right:
            why = " [red]wrong[/]" if c.wrong else f" dropped: {c.dropped}" if c.dropped else ""
            console.print(f"  {c.variant}: 「{c.text}」 heard 「{c.heard}」{why}")
    right, wrong = sum(c.right for c in run.commands), sum(c.wrong for c in run.commands)
    console.print(f"right action: {right} of {len(run.commands)}; wrong action: {wrong}")
    missed = [s for s in run.stops if s.after_end is None]
    for s in missed:
        console.print(f"  no stop: 「{s.text}」{' over motors' if s.noisy else ''} heard 「{s.heard}」")
    console.print(f"stops: {len(run.stops) - len(missed)} of {len(run.stops)}")
    for p in run.paused:
        if not p.right or p.turns != 1:
            console.print(f"  {p.turns} turns: {' … '.join(p.pieces)} {p.pauses_ms} → {p.done} heard 「{p.heard}」")
    one = sum(p.turns == 1 for p in run.paused)
    good = sum(p.turns == 1 and p.right for p in run.paused)
    console.print(f"pauses inside: one turn {one}, one turn with the right actions {good}, of {len(run.paused)}")


def _some(values: Iterable[float | None]) -> list[float]:
    return [v for v in values if v is not None]
