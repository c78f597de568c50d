"""Lists of things people say with what has to come of them, and how many of them do.

A list is tab-separated, without a header, `#` begins a comment line:

    category    text    expected    what the robot is doing meanwhile (may be left out)

    sit         座ってください       Sit
    sequence    立って挨拶して       StandUp | Hello
    distance    一メートル前へ       move x=1
    vague       ちょっと下がって     move x=-0.3 / StandDown
    negation    座らないで           -
    emergency   緊急停止             stop latch    Dance1

`-` is no action, ` | ` stands between actions in order, ` / ` between outcomes that are all fine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from claudiad.brain.phrases import parse_action
from claudiad.brain.tables import rows
from claudiad.errors import DataError
from claudiad.robot.registry import STOP, ActionSpec
from claudiad.types import Action, Decision, Posture, RobotState

EMERGENCY = "emergency"
"""The category in which a plain `stop` says nothing about the latch."""
TOLERANCE = 0.011
"""How far a number may be from the one expected: metres, radians, levels."""
NOTHING = "-"

Verdict = Literal["right", "asked", "wrong", "moved"]
"""asked: no action where one was wanted, it asked back or answered; wrong: other actions than were wanted;
moved: actions where none may come out."""
Params: TypeAlias = Mapping[str, float | int | bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which a line is right."""

    actions: tuple[Action, ...]
    latch: bool | None
    """Whether the stop has to latch; None = either is fine."""

    def fits(self, decision: Decision) -> bool:
        """True when exactly these actions came out, in order, with these parameters."""
        return (
            len(self.actions) == len(decision.actions)
            and all(_same(want, got) for want, got in zip(self.actions, decision.actions, strict=True))
            and self.latch in (None, decision.latch)
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list."""

    category: str
    text: str
    expected: str
    """As written in the list."""
    outcomes: tuple[Outcome, ...]
    running: str | None = None

    @property
    def state(self) -> RobotState:
        """The robot that hears it: standing, battery full."""
        return RobotState(Posture.STANDING, 100, running=self.running)

    @property
    def commands(self) -> bool:
        """True when some action is fine; False where none may come out."""
        return any(outcome.actions for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Scored:
    """A line and what came of it."""

    line: Line
    decision: Decision
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """How many lines of each verdict."""

    right: int = 0
    asked: int = 0
    wrong: int = 0
    moved: int = 0

    @property
    def n(self) -> int:
        return self.right + self.asked + self.wrong + self.moved

    def percent(self, verdict: Verdict) -> float | None:
        """Share of one verdict in percent; None of no lines."""
        return 100.0 * float(getattr(self, verdict)) / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the share of one verdict should lie, in percent, ends included."""

    text: str
    verdict: Verdict
    least: float = 0.0
    most: float = 100.0

    def met(self, tally: Tally) -> bool | None:
        """Whether it is reached; None when there was nothing to judge."""
        percent = tally.percent(self.verdict)
        return None if percent is None else self.least <= percent <= self.most


GOALS: Mapping[str, tuple[Goal, ...]] = {
    "commands": (Goal("≥ 92 %", "right", least=92.0), Goal("≤ 1 %", "wrong", most=1.0)),
    "traps and dialog": (Goal("none", "moved", most=0.0),),
    EMERGENCY: (Goal("100 %", "right", least=100.0),),
}
"""What each of the `totals` has to reach."""


def load_utterances(path: Path, registry: Mapping[str, ActionSpec]) -> list[Line]:
    """Read a list. Raises `DataError` (`file:line: …`) for a missing file, a line of other than three or four
    columns, an empty cell among the first three, and actions or parameters the registry does not have.
    """
    return [_line(cells, registry, f"{path}:{number}") for number, cells in rows(path, 3, 4)]


def score(lines: Iterable[Line], decide: Callable[[str, RobotState], Decision]) -> list[Scored]:
    """Decide every line and judge it."""
    decided = [(line, decide(line.text, line.state)) for line in lines]
    return [Scored(line, decision, judge(line, decision)) for line, decision in decided]


def judge(line: Line, decision: Decision) -> Verdict:
    """What one decision is, measured by its line."""
    if any(outcome.fits(decision) for outcome in line.outcomes):
        return "right"
    if not decision.actions:
        return "asked"
    return "wrong" if line.commands else "moved"


def tally(scored: Iterable[Scored]) -> Tally:
    """Count the verdicts."""
    verdicts = [s.verdict for s in scored]
    return Tally(**{verdict: verdicts.count(verdict) for verdict in get_args(Verdict)})


def by_category(scored: Iterable[Scored]) -> dict[str, Tally]:
    """One tally per category, in the order of the list."""
    found: dict[str, list[Scored]] = {}
    for each in scored:
        found.setdefault(each.line.category, []).append(each)
    return {category: tally(several) for category, several in found.items()}


def totals(scored: Iterable[Scored]) -> dict[str, Tally]:
    """`commands` and `traps and dialog` share all lines between them; `emergency` is counted once more by itself."""
    every = list(scored)
    return {
        "commands": tally(s for s in every if s.line.commands),
        "traps and dialog": tally(s for s in every if not s.line.commands),
        EMERGENCY: tally(s for s in every if s.line.category == EMERGENCY),
    }


def written(decision: Decision) -> str:
    """What came out, as a list would write it: `Sit`, `StandUp | Hello`, `move x=1`, `stop latch`, `-`."""
    return " | ".join(_call(action, decision.latch) for action in decision.actions) or NOTHING


def _call(action: Action, latch: bool) -> str:
    values = [f"{k}={str(v).lower() if isinstance(v, bool) else f'{v:g}'}" for k, v in action.params.items()]
    return " ".join([action.name, *values, *(["latch"] if latch and action.name == STOP else [])])


def _line(cells: list[str], registry: Mapping[str, ActionSpec], where: str) -> Line:
    if not all(cells[:3]):
        raise DataError(f"{where}: category, text and expected must not be empty")
    category, text, expected = cells[:3]
    running = (cells[3] or None) if len(cells) == 4 else None
    if running is not None and running not in registry:
        raise DataError(f"{where}: the robot cannot be doing {running!r}: unknown action")
    alternatives = re.split(r"\s+/\s+", expected)
    outcomes = tuple(_outcome(each, category == EMERGENCY, registry, where) for each in alternatives)
    return Line(category, text, expected, outcomes, running)


def _outcome(alternative: str, emergency: bool, registry: Mapping[str, ActionSpec], where: str) -> Outcome:
    if alternative == NOTHING:
        return Outcome((), latch=False)
    numbers = {name: spec.api_id for name, spec in registry.items()}
    calls = re.split(r"\s+\|\s+", alternative)
    latched = [re.fullmatch(rf"{STOP}\s+latch", call) is not None for call in calls]
    actions: list[Action] = []
    for call, latch in zip(calls, latched, strict=True):
        made = parse_action(STOP if latch else call, numbers, where)
        if not made:
            raise DataError(f"{where}: {alternative!r} is not a list of actions; `-` stands alone")
        actions.extend(made)
    for action in actions:
        if unknown := set(action.params) - set(registry[action.name].params):
            raise DataError(f"{where}: {action.name} has no parameter {', '.join(sorted(unknown))}")
    if any(latched):
        return Outcome(tuple(actions), latch=True)
    return Outcome(tuple(actions), latch=None if emergency else False)


def _same(want: Action, got: Action) -> bool:
    names = {*want.params, *got.params}
    return want.name == got.name and all(_same_value(name, want.params, got.params) for name in names)


def _same_value(name: str, want: Params, got: Params) -> bool:
    """Equal, near enough, or left out on one side where the other says what is meant without it."""
    if name not in want or name not in got:
        value = want[name] if name in want else got[name]
        if isinstance(value, bool):
            return value and name == "data"
        return abs(value) <= TOLERANCE
    one, other = want[name], got[name]
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return abs(one - other) <= TOLERANCE
