"""The form of an answer: `{"a":[what to do],"r":"what to say"}`, actions before words so that they can leave first.

A step is an id of the sport service, the name of an action of another service (ids are unique only within one: 1001 is
a picture there and Damp here), or `{"name":"move",…}` with metres and radians. `claudiad.brain.proposal` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from claudiad.brain.proposal import MAX_STEPS
from claudiad.robot.registry import DAMP, MOVE, STOP, ActionSpec
from claudiad.types import Action

Step: TypeAlias = int | str | Mapping[str, float | int | bool | str]
"""One step as a model writes it."""

_WAYS = ("x", "y", "yaw")


def answer_schema(registry_ids: Iterable[int | str], *, with_actions: bool, move: bool = True) -> dict[str, Any]:
    """JSON schema of an answer that may choose among `registry_ids` and, with `move`, walking.

    Without actions the list must be empty. A grammar writes required properties in their order here: `a`, then `r`.
    """
    allowed = list(registry_ids) if with_actions else []
    forms: list[dict[str, Any]] = [{"enum": allowed}] if allowed else []
    if with_actions and move:
        forms.append(_move())
    steps: dict[str, Any] = {"type": "array", "maxItems": MAX_STEPS if forms else 0}
    steps["items"] = {"anyOf": forms} if len(forms) > 1 else (forms[0] if forms else {"type": "integer"})
    return {
        "type": "object",
        "properties": {"a": steps, "r": {"type": "string"}},
        "required": ["a", "r"],
        "additionalProperties": False,
    }


def step_of(spec: ActionSpec, params: Mapping[str, float | int | bool] | None = None) -> Step:
    """An action as a model writes it: with its parameters where an id alone would mean something else."""
    given = {name: value for name, value in (params or {}).items() if name in spec.params}
    if spec.name == MOVE or any(value != spec.params[name].default for name, value in given.items()):
        return {"name": spec.name, **given}
    return spec.api_id if spec.service == "sport" else spec.name


def steps_of(actions: Sequence[Action], registry: Mapping[str, ActionSpec]) -> tuple[Step, ...]:
    """What was done as a model would have asked for it; what safety inserted, or is not registered, is left out."""
    return tuple(step_of(registry[a.name], a.params) for a in actions if not a.inserted and a.name in registry)


def answer_json(steps: Sequence[Step], reply: str) -> str:
    """An answer in one line."""
    return json.dumps({"a": list(steps), "r": reply}, ensure_ascii=False, separators=(",", ":"))


def offered(registry: Mapping[str, ActionSpec], *, allow_high_risk: bool) -> tuple[ActionSpec, ...]:
    """What a model may choose by id or name, in the table's order.

    Not stop, which has its own way that no model is on; not Damp, which drops a robot that stands; not the robot's
    switches; nothing dangerous unless allowed; and nothing that needs numbers, because an id says none.
    """
    return tuple(
        spec
        for spec in registry.values()
        if spec.name not in (STOP, DAMP, MOVE)
        and not spec.internal
        and (allow_high_risk or not spec.dangerous)
        and all(param.kind == "flag" for param in spec.params.values())
    )


def _move() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": MOVE}, **{way: {"type": "number"} for way in _WAYS}},
        "required": ["name", *_WAYS],
        "additionalProperties": False,
    }
