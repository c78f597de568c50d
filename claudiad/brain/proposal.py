"""What a language model proposes, checked against the registry: names and ids come in, registered actions go out.

Two forms are understood, after JSON parsing. `a`: a step or a list of steps; `r`: the reply:

    {"a": [1016, "Sit", {"name": "move", "x": 0.3}], "r": "はい、挨拶します。"}
    {"r": "はい。", "a": 1016, "seq": []}        older; a `seq` with something in it stands instead of `a`

All or nothing: when one step is unknown, none comes out. The later steps were meant to begin where the unknown one
ends, and a person who asked for three things and sees two is not told which one is missing; with nothing done, the
caller can say so or ask again. For the same reason there are no actions in what is not `valid`.

This is the gate for *what* may be named (docs/safety.md, 12). Posture, battery, ranges and permissions are safety's
business, behind it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from claudiad.brain.phrases import _plain
from claudiad.types import Action

MAX_STEPS = 6
MAX_REPLY = 400
"""Characters."""
MAX_UNKNOWN = 40
"""Characters of an unknown name that are kept for the log."""

_ID = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_WHITE = re.compile(r"\s+")
_LONGEST_NAME = 100
_HUGE = 10**30


@dataclass(frozen=True, slots=True)
class Proposal:
    """One answer of a model. Whenever there are actions, it is valid and nothing in it is unknown."""

    actions: tuple[Action, ...]
    """As registered, in order; parameters finite, not yet clamped."""
    reply: str
    """At most `MAX_REPLY` characters without control characters; may be there when nothing else can be used."""
    unknown: tuple[str, ...]
    """What was named and is not registered, at most `MAX_STEPS`, each at most `MAX_UNKNOWN` characters."""
    valid: bool
    """False when it is not of a known form: wrong types, no reply, more than `MAX_STEPS` steps."""


_NOT_OF_A_KNOWN_FORM = Proposal((), "", (), valid=False)


def read_proposal(output: object, actions: Mapping[str, int]) -> Proposal:
    """Check what a model answered: any parsed JSON value. Never raises.

    `actions`: every action that may be chosen, and its API id; nothing else can come out. An id is an integer,
    a float without fraction or a decimal string, never a bool; names are compared as in the phrase table.
    Parameters that are not finite numbers or bools are left out. A key with `null` counts as left out.
    """
    if not isinstance(output, dict):
        return _NOT_OF_A_KNOWN_FORM
    said = output.get("r")
    reply = _clean(said, MAX_REPLY) if isinstance(said, str) else ""
    steps = read_steps(output, actions)
    if not steps.valid or not isinstance(said, str):
        return replace(_NOT_OF_A_KNOWN_FORM, reply=reply)
    return replace(steps, reply=reply)


def read_steps(output: Mapping[str, object], actions: Mapping[str, int]) -> Proposal:
    """The steps alone, for who cannot wait for the words: as `read_proposal`, with an empty reply."""
    steps = _steps(output)
    if steps is None:
        return _NOT_OF_A_KNOWN_FORM
    registered = _Registered(actions)
    found: list[Action] = []
    unknown: list[str] = []
    for step in steps:
        named = step.get("name") if isinstance(step, dict) else step
        if isinstance(named, bool) or not isinstance(named, int | float | str):
            return _NOT_OF_A_KNOWN_FORM
        name = registered.find(named)
        if name is None:
            unknown.append(_show(named))
        else:
            found.append(Action(name, actions[name], _params(step)))
    return Proposal(() if unknown else tuple(found), "", tuple(unknown), valid=True)


def _steps(output: Mapping[str, object]) -> list[object] | None:
    """The steps in either form, or None when it is neither."""
    sequence = output.get("seq")
    if sequence is not None and not isinstance(sequence, list):
        return None
    chosen = sequence or output.get("a")
    if chosen is None:
        return []
    steps = chosen if isinstance(chosen, list) else [chosen]
    return steps if len(steps) <= MAX_STEPS else None


class _Registered:
    """The registry, by what a model may call an action. Of two that are called the same, the first one counts."""

    def __init__(self, actions: Mapping[str, int]) -> None:
        self._by_name: dict[str, str] = {}
        self._by_id: dict[int, str] = {}
        for name, api_id in actions.items():
            self._by_name.setdefault(_plain(name), name)
            self._by_id.setdefault(api_id, name)

    def find(self, named: float | str) -> str | None:
        """The registered name, or None."""
        if isinstance(named, int):
            return self._by_id.get(named)
        if isinstance(named, float):
            return self._by_id.get(int(named)) if named.is_integer() else None
        if _ID.fullmatch(named):
            return self._by_id.get(int(named))
        return self._by_name.get(_plain(named)) if len(named) <= _LONGEST_NAME else None


def _params(step: object) -> dict[str, float | int | bool]:
    if not isinstance(step, dict):
        return {}
    return {key: value for key, value in step.items() if isinstance(key, str) and key != "name" and _usable(value)}


def _usable(value: object) -> bool:
    if isinstance(value, bool):
        return True
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def _show(named: float | str) -> str:
    if isinstance(named, int) and abs(named) >= _HUGE:
        return f"a number of {named.bit_length()} bits"  # writing it out has a limit of its own, and raises
    return _clean(named[: 2 * MAX_UNKNOWN] if isinstance(named, str) else f"{named}", MAX_UNKNOWN)


def _clean(text: str, longest: int) -> str:
    """`text` cut, line breaks as spaces, without control characters, lone surrogates and what else has no shape."""
    return "".join(c for c in _WHITE.sub(" ", text[:longest]) if c.isprintable()).strip()
