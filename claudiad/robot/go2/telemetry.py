"""From the robot's own messages to a state: posture, odometry, battery, and what is going on. Pure.

On current firmware `error_code` of SportModeState is the state of the state machine; older firmware leaves it 0 and
sets `mode` (docs/facts.md). What neither names is an unknown posture, and unknown is not assumed good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from claudiad.types import Posture

STAND_LOCK = 1002
"""Joints locked after StandUp: Move is ignored until BalanceStand."""

_POSTURES: Mapping[int, Posture] = MappingProxyType(
    {
        100: Posture.STANDING,  # agile
        1001: Posture.DAMPED,
        STAND_LOCK: Posture.STANDING,
        1004: Posture.LYING,  # crouch
        2006: Posture.LYING,
        1007: Posture.SITTING,
        1013: Posture.STANDING,  # balance
        1015: Posture.STANDING,  # walking …
        1016: Posture.STANDING,
        1017: Posture.STANDING,
    }
)
_BUSY = frozenset((1006, 1008, 1009))
"""Social tricks, jump, pounce: something is going on, and the posture is the one before it."""

_MODES: Mapping[int, Posture] = MappingProxyType(
    {
        1: Posture.STANDING,
        3: Posture.STANDING,
        5: Posture.LYING,
        6: Posture.STANDING,
        7: Posture.DAMPED,
        10: Posture.SITTING,
    }
)
_BUSY_MODES = frozenset((2, 8, 11, 12, 13))
_IDLE_MODE, _LOCKED_MODE = 0, 6

_STANDS_M = 0.2
"""Body height from which a robot of which nothing else is known stands; a Go2 stands at about 0.32 m."""
FALLEN_RAD = 0.8
"""A robot that leans more than this does not stand."""
MOVES_M_S, MOVES_RAD_S = 0.1, 0.2
"""Faster than this, it walks: standing, it sways less."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One SportModeState, as far as it matters."""

    posture: Posture | None
    """None while an action runs: the one before it."""
    busy: bool
    """A gesture, jump or dance is going on."""
    locked: bool
    """Stands with locked joints."""
    x: float
    y: float
    yaw: float
    """Odometry as the robot counts it: metres, radians; NaN where it sent no numbers."""
    moving: bool
    """It moves over the ground, whatever its state machine says."""


def read(
    *,
    error_code: int,
    mode: int,
    height: float,
    position: tuple[float, float],
    yaw: float,
    tilt: float,
    velocity: tuple[float, float],
    yaw_speed: float,
) -> Seen:
    """Interpret the fields of a SportModeState: codes, metres, radians, m/s, rad/s.

    `tilt`: the larger of roll and pitch. Where a number is none, the posture is unknown and so is the pose.
    """
    if error_code in _BUSY or error_code in _POSTURES:
        posture, busy = _POSTURES.get(error_code), error_code in _BUSY
        locked = error_code == STAND_LOCK
    elif error_code == 0:
        busy, locked = mode in _BUSY_MODES, mode == _LOCKED_MODE
        idle = Posture.STANDING if height >= _STANDS_M else Posture.UNKNOWN
        posture = None if busy else idle if mode == _IDLE_MODE else _MODES.get(mode, Posture.UNKNOWN)
    else:
        posture, busy, locked = Posture.UNKNOWN, False, False
    x, y = position
    if not all(map(math.isfinite, (x, y, yaw, *velocity, yaw_speed))):
        return Seen(Posture.UNKNOWN, busy, locked, math.nan, math.nan, math.nan, moving=True)
    moving = math.hypot(*velocity) > MOVES_M_S or abs(yaw_speed) > MOVES_RAD_S
    if posture is Posture.STANDING and not abs(tilt) <= FALLEN_RAD:
        posture = Posture.UNKNOWN  # on its side or its back, whatever its state machine says
    return Seen(posture, busy, locked, x, y, yaw, moving)
