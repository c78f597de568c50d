"""The figures of the loop as a table and as build/bench-loop.json."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console

from bench.report import Machine, percentile_table, percentiles, save
from bench.window import FULL_S, Windows
from claudiad.config import Settings

LEDGER_MS = 10.0
"""How far the ledger's dispatch may be from the call in the simulator's own log."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One turn; times in ms, from the end of speech as the log has it unless the name says otherwise."""

    text: str
    half_tones: float
    speed: float
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
    decide: float | None
    """The work alone."""
    robot: float | None
    """First call in the simulator's own log."""
    processing: float | None
    """`robot` without the silence that ends an utterance: recognition, decision, dispatch and what lies between."""
    robot_after_voice: float | None
    """From the end of the voice in the clean speech, by level: not the endpointer's opinion."""
    ledger_apart: float | None
    """The simulator's time minus the ledger's, for the same command."""
    first_audio: float | None


@dataclass(frozen=True, slots=True)
class Turns:
    """A whole run."""

    each: tuple[Measured, ...]
    windows: Windows


def show(console: Console, run: Turns, settings: Settings, where: Machine) -> bool:
    """Print and save; whether ledger and simulator agree."""
    commands = [m for m in run.each if not m.stop]
    stops = [m for m in run.each if m.stop]
    hangover = settings.endpoint.hangover_ms
    rows = {
        "processing alone (silence excluded)": _some(m.processing for m in commands),
        "  of which recognition": _some(m.stt for m in commands),
        "  of which decision": _some(m.decide for m in commands),
        "end of speech → action at the robot": _some(m.robot for m in commands),
        "end of the voice by level → action at the robot": _some(m.robot_after_voice for m in commands),
        "end of speech → first audio": _some(m.first_audio for m in run.each),
        "stop in motion: end of speech → StopMove": _some(m.robot for m in stops),
        "stop in motion, from the end of the voice by level": _some(m.robot_after_voice for m in stops),
    }
    percentile_table(console, rows, "ms")
    windows = {"window cut to the utterance": run.windows.short_ms, f"padded to {FULL_S:g} s": run.windows.full_ms}
    percentile_table(console, windows, "ms per recognition, same audio, one after the other", digits=1)
    ratio = _median(run.windows.full_ms) / _median(run.windows.short_ms)
    console.print(f"30 s costs {ratio:.1f} times the short window (medians)")
    right, wrong = sum(m.right for m in run.each), sum(m.wrong for m in run.each)
    total = len(run.each)
    console.print(f"right action: {right} of {total} ({100 * right / total:.1f} %); wrong action: {wrong}")
    for m in run.each:
        if not m.right:
            console.print(
                f"  not right: 「{m.text}」 heard 「{m.heard}」" + (f", dropped: {m.dropped}" if m.dropped else "")
            )
    apart = _some(m.ledger_apart for m in commands)
    furthest = max((abs(a) for a in apart), default=0.0)
    console.print(f"ledger against the simulator's log: at most {furthest:.1f} ms apart in {len(apart)} turns")
    result = {
        "turns": total,
        "hangover_ms": hangover,
        "threads": settings.stt.threads,
        "ms": {name.strip(): {"n": len(values), **percentiles(values)} for name, values in rows.items()},
        "window_ms": {name: percentiles(values) for name, values in windows.items()},
        "window_ratio": round(ratio, 2),
        "window_same_text": run.windows.same_text,
        "right": right,
        "wrong": wrong,
        "ledger_apart_ms": round(furthest, 3),
        "each": [asdict(m) for m in run.each],
    }
    console.print(f"written to {save('bench-loop', where, result)}")
    return furthest <= LEDGER_MS


def _some(values: Iterable[float | None]) -> list[float]:
    return [v for v in values if v is not None]


def _median(values: tuple[float, ...]) -> float:
    return percentiles(values)["p50"]
