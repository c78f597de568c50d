"""docs/actions.md, made from the table of actions.

``python -m claudiad.robot.actions_doc --write`` brings the file of a source tree up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from claudiad.robot import registry
from claudiad.robot.registry import ActionSpec, ParamSpec
from claudiad.types import Posture

ACTIONS_FILE = Path(__file__).parents[2] / "docs" / "actions.md"

_LAST_POSTURE_ID = 1010
"""Ids of the sport service up to here are postures (and stop and move); later rows that give one only keep it."""

_OWN_STATE = {"FrontJump": "1008 (jump)", "FrontPounce": "1009 (pounce)"}

_HEAD = """\
# Actions

Everything the robot can be asked to do; what is not here never reaches it. Generated from
`claudiad/data/actions.toml` by `python -m claudiad.robot.actions_doc --write`.

- **id** is the one within the **service** of the robot that the action is a call of.
- **class**: *safe* postures, walking and ways of walking; *gesture* done on the spot, from rest to rest; *energetic*
  not at 20 % battery or less; *acrobatic* not at 30 % or less. At 10 % or less only the rows marked *low battery*.
- **needs**: the postures it can start from; safety puts a missing one in front. **gives**: the posture it ends in,
  empty when that is the one it began in.
- **parameters**: what may reach the robot, with the value that stands for one not given. The settings narrow those of
  `move` ([configuration.md](configuration.md)), which are the way to go, not velocities.
- **seconds**: how long it typically takes. **shows**: what in the robot's state is taken for its completion. On current
  firmware the field `error_code` of the state is the number of its state machine's state; these are the numbers.
- **dangerous**: refused unless `robot.allow_high_risk` is set. **legacy**: only older firmware knows it; sent by its
  id, and refused in words when the robot answers that it does not know it.

A real Go2: [go2.md](go2.md). How words become actions: [understanding.md](understanding.md).

"""

_COLUMNS = (
    "name",
    "id",
    "service",
    "Japanese",
    "class",
    "needs",
    "gives",
    "parameters",
    "seconds",
    "shows",
    "low battery",
    "dangerous",
    "legacy",
)


def actions_md() -> str:
    """The whole file."""
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *(_row(spec) for spec in registry.load().values())]
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def shows(spec: ActionSpec) -> str:
    """What in the robot's state is taken for the action's completion."""
    if spec.name == registry.STOP:
        return "velocity becomes 0, nothing runs"
    if spec.name == registry.MOVE:
        return "odometry"
    if spec.service == "sport":
        if spec.gives is not None and spec.api_id <= _LAST_POSTURE_ID:
            return f"posture becomes {spec.gives.value}"
        if spec.action_class == "acrobatic":
            return f"state machine leaves {_OWN_STATE.get(spec.name, 'the state it took up')}"
        still = any(param.kind == "number" for param in spec.params.values())
        if spec.action_class in {"gesture", "energetic"} and spec.gives is None and not still:
            return "state machine leaves 1006 (social tricks)"
    return "the call's answer"


def main(arguments: Sequence[str]) -> int:
    """Print the file, or with ``--write`` renew it in the source tree. Returns the exit status."""
    if list(arguments) == ["--write"]:
        ACTIONS_FILE.write_text(actions_md(), encoding="utf-8")
        return 0
    if arguments:
        print("usage: python -m claudiad.robot.actions_doc [--write]", file=sys.stderr)
        return 64
    print(actions_md(), end="")
    return 0


def _row(spec: ActionSpec) -> tuple[str, ...]:
    return (
        f"`{spec.name}`",
        str(spec.api_id),
        spec.service,
        spec.title,
        spec.action_class,
        "any" if spec.needs == set(Posture) else ", ".join(p.value for p in Posture if p in spec.needs),
        spec.gives.value if spec.gives else "",
        "; ".join(_param(name, param) for name, param in spec.params.items()),
        f"{spec.duration_s:g}",
        shows(spec),
        _yes(spec.low_battery),
        _yes(spec.dangerous),
        _yes(spec.legacy),
    )


def _param(name: str, param: ParamSpec) -> str:
    if param.kind == "flag":
        return f"`{name}` true or false ({'true' if param.default else 'false'})"
    unit = f" {param.unit}" if param.unit else ""
    return f"`{name}` {param.min:.4g} to {param.max:.4g}{unit} ({param.default:g})"


def _yes(flag: bool) -> str:
    return "yes" if flag else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
