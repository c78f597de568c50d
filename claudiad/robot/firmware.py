"""What a Go2's firmware would report of a body: the numbers of its state machine, old and new, and its height. Pure.

Current firmware puts the state of its state machine into `error_code`; older firmware leaves that 0 and sets `mode`
(docs/facts.md). What the documents leave open is chosen so that one number never stands for two postures.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from claudiad.robot import registry
from claudiad.robot.registry import ActionSpec
from claudiad.types import Posture

DAMPED, STAND_LOCK, TRICK, SITTING, JUMP, POUNCE, BALANCE = 1001, 1002, 1006, 1007, 1008, 1009, 1013
WALK, RUN, ECONOMIC, LYING = 1015, 1016, 1017, 2006
"""Values of `error_code`. Lying is 2006: 1004 means a crouch too."""

BALANCE_STAND, POSE, LOCOMOTION, JOINT_LOCK, RECOVERY_STAND = 1, 2, 3, 6, 8
"""Values of `mode` that depend on more than the posture; it has none for gestures, POSE stands for them here."""

_MACHINE: Mapping[Posture, int] = MappingProxyType(
    {Posture.STANDING: BALANCE, Posture.SITTING: SITTING, Posture.LYING: LYING, Posture.DAMPED: DAMPED}
)
_MODE: Mapping[Posture, int] = MappingProxyType(
    {Posture.STANDING: BALANCE_STAND, Posture.SITTING: 10, Posture.LYING: 5, Posture.DAMPED: 7}
)
_GAITS: Mapping[str, int] = MappingProxyType({"TrotRun": RUN, "EconomicGait": ECONOMIC})
_GAIT_NAMES = frozenset(("StaticWalk", "TrotRun", "EconomicGait", "FreeWalk", "FreeAvoid", "ClassicWalk", "CrossStep"))

_HEIGHT_M: Mapping[Posture, float] = MappingProxyType(
    {Posture.STANDING: 0.32, Posture.SITTING: 0.19, Posture.LYING: 0.08, Posture.DAMPED: 0.07}
)


def gait(spec: ActionSpec) -> int | None:
    """The state it walks in after this action, None when the action is no way of walking."""
    return _GAITS.get(spec.name, WALK) if spec.name in _GAIT_NAMES else None


def trick(spec: ActionSpec) -> bool:
    """Whether it is a "social trick": a gesture or a dance, done on the spot."""
    still = any(param.kind == "number" for param in spec.params.values())
    return spec.action_class in {"gesture", "energetic"} and gait(spec) is None and not still


def shows_busy(spec: ActionSpec) -> bool:
    """Whether the state machine says that it is going on: tricks, jumps and pounces; not gaits, settings or leaning."""
    return trick(spec) or (spec.action_class == "acrobatic" and gait(spec) is None)


def machine(posture: Posture, running: ActionSpec | None, walking: int | None, locked: bool) -> int:
    """The state of the state machine.

    `walking` is the gait it walks in just now. During a change of posture it is the state the change began in, as
    the posture is.
    """
    if running is not None:
        if running.name == registry.DAMP:
            return DAMPED
        if running.action_class == "acrobatic":
            return POUNCE if running.name == "FrontPounce" else JUMP
        if trick(running):
            return TRICK
    elif walking is not None:
        return walking
    return STAND_LOCK if locked and posture is Posture.STANDING else _MACHINE.get(posture, 0)


def mode(posture: Posture, running: ActionSpec | None, walking: bool, locked: bool) -> int:
    """The same as older firmware says it."""
    if running is not None:
        if running.name == "RecoveryStand":
            return RECOVERY_STAND
        if running.action_class == "acrobatic":
            return {"FrontPounce": 13, "FrontJump": 12, "FreeJump": 12}.get(running.name, 11)
        if trick(running):
            return POSE
    elif walking:
        return LOCOMOTION
    return JOINT_LOCK if locked and posture is Posture.STANDING else _MODE.get(posture, 0)


def height(posture: Posture, running: ActionSpec | None, progress: float) -> float:
    """Height of the body over the ground in metres, `progress` (0..1) of the way through the action."""
    here = _HEIGHT_M.get(posture, 0.0)
    there = here if running is None or running.gives is None else _HEIGHT_M[running.gives]
    return here + (there - here) * progress
