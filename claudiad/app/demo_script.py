"""The demo's script and its judgement. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from claudiad.app.ledger import TurnRecord
from claudiad.errors import DataError

SCRIPT = Path(__file__).resolve().parent.parent / "data" / "demo.toml"
_KEYS = {"say", "mumble", "after", "actions", "refused", "dropped", "reply", "stopped"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the person says, and what must come of it."""

    say: str
    mumble: bool = False
    after: float | None = None
    """Seconds into the motion under way; None: when the robot has finished."""
    actions: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    dropped: bool = False
    reply: bool = False
    stopped: bool = False


def load_script(path: Path = SCRIPT) -> tuple[Line, ...]:
    """Raises DataError for a file that is no script."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        turns = table["turn"]
        for number, turn in enumerate(turns, 1):
            if unknown := set(turn) - _KEYS:
                raise DataError(
                    f"{path}: turn {number}: unknown key {', '.join(sorted(unknown))}; allowed: {sorted(_KEYS)}"
                )
        return tuple(
            Line(
                say=t["say"],
                mumble=bool(t.get("mumble", False)),
                after=None if t.get("after", "idle") == "idle" else float(t["after"]),
                actions=tuple(t.get("actions", ())),
                refused=tuple(t.get("refused", ())),
                dropped=bool(t.get("dropped", False)),
                reply=bool(t.get("reply", False)),
                stopped=bool(t.get("stopped", False)),
            )
            for t in turns
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as exc:
        raise DataError(f"{path}: not a demo script: {exc}") from exc


def faults(line: Line, records: Sequence[TurnRecord], before: Sequence[TurnRecord] = ()) -> list[str]:
    """What did not go as the script says: empty when all is well.

    `records` are the turns that came of the line, `before` those of the line it broke into.
    """
    found: list[str] = []
    actions = tuple(s.action.name for r in records for s in r.steps)
    refused = tuple(s.refusal.name for r in records for s in r.refused)
    if line.dropped:
        if actions:
            found.append(f"moved: {', '.join(actions)}")
        if any(r.dropped is None for r in records):
            found.append("was not dropped")
        return found
    if not records:
        return ["nothing was heard"]
    if actions != line.actions:
        found.append(f"actions {list(actions)}, expected {list(line.actions)}")
    if refused != line.refused:
        found.append(f"refused {list(refused)}, expected {list(line.refused)}")
    if line.reply and not any(r.spoken for r in records):
        found.append("nothing was answered")
    if line.stopped and not any(s.outcome == "stopped" for r in before for s in r.steps):
        found.append("the motion before it was not cut short")
    unfinished = [s.title for r in records for s in r.steps if s.outcome not in {"done", "stopped"}]
    if unfinished:
        found.append(f"not done: {', '.join(unfinished)}")
    return found
