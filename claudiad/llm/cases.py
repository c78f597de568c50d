"""Cases for comparing models: what is said, and what is to be done about it. A table, read once and checked.

    立ってそして挨拶して	StandUp Hello
    疲れた	StandDown | -	dialog

Columns, tab-separated: the words; the actions in order, `-` for none, `*` for any gesture, several answers that are
right divided by `|`; and the kind of prompt, where it is not to be chosen from the words. A `move` may name its
direction: `move:x-` goes back, `move:yaw+` turns left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from claudiad.brain.tables import rows
from claudiad.errors import DataError
from claudiad.llm.request_class import PromptKind
from claudiad.robot.registry import MOVE, ActionSpec
from claudiad.types import Action

NONE = "-"
GESTURE = "*"
_DIRECTED = re.compile(rf"{MOVE}:(x|y|yaw)([+-])")


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table."""

    line: int
    """From 1."""
    text: str
    expected: tuple[tuple[str, ...], ...]
    """Each of them is right; a name, `*` alone, or `move:yaw-`; empty for nothing."""
    kind: PromptKind | None
    """None: as the words say."""

    @property
    def is_sequence(self) -> bool:
        """Two actions or more are asked for, whichever answer it is."""
        return all(len(steps) >= 2 for steps in self.expected)

    @property
    def written(self) -> str:
        """What is expected, as in the table."""
        return " | ".join(" ".join(steps) or NONE for steps in self.expected)

    def right(self, actions: Sequence[Action], registry: Mapping[str, ActionSpec]) -> bool:
        """Whether these actions, in this order, are what is expected."""
        return any(_fits(steps, actions, registry) for steps in self.expected)


def load_cases(path: Path, choosable: Mapping[str, ActionSpec]) -> tuple[Case, ...]:
    """Read a table. `choosable`: what a model may choose, by name.

    Raises DataError ``file:line: …`` for a file that cannot be read, an action or kind that is none, and no case.
    """
    cases = tuple(_case(path, line, cells, choosable) for line, cells in rows(path, 2, 3))
    if not cases:
        raise DataError(f"{path}:1: there is no case in it")
    return cases


def _case(path: Path, line: int, cells: list[str], choosable: Mapping[str, ActionSpec]) -> Case:
    where = f"{path}:{line}"
    text, written, kind = [*cells, ""][:3]
    if not text:
        raise DataError(f"{where}: the words are missing")
    if kind and kind not in set(PromptKind):
        raise DataError(f"{where}: unknown kind {kind!r}; known: {', '.join(PromptKind)}")
    expected = tuple(_steps(where, each, choosable) for each in written.split("|"))
    return Case(line, text, expected, PromptKind(kind) if kind else None)


def _steps(where: str, written: str, choosable: Mapping[str, ActionSpec]) -> tuple[str, ...]:
    names = tuple(written.split())
    if not names:
        raise DataError(f"{where}: the actions are missing; {NONE} stands for none, {GESTURE} for any gesture")
    if names == (NONE,):
        return ()
    if names == (GESTURE,):
        return names
    if unknown := [name for name in names if name not in choosable and not _DIRECTED.fullmatch(name)]:
        raise DataError(f"{where}: {', '.join(unknown)}: no action that a model may choose")
    return names


def _fits(steps: tuple[str, ...], actions: Sequence[Action], registry: Mapping[str, ActionSpec]) -> bool:
    if steps == (GESTURE,):
        return bool(actions) and all(registry[each.name].action_class == "gesture" for each in actions)
    return len(steps) == len(actions) and all(map(_is_step, steps, actions))


def _is_step(step: str, action: Action) -> bool:
    directed = _DIRECTED.fullmatch(step)
    if directed is None:
        return action.name == step
    given = action.params.get(directed[1])
    return action.name == MOVE and given is not None and (given > 0 if directed[2] == "+" else given < 0)
