"""From a way to go to velocities: closed loop on odometry. Pure: poses in, a velocity out.

Body frame and odometry frame are right-handed: x forward, y left, yaw left positive; metres and radians.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from claudiad.config import RobotSettings

REFRESH_S = 0.1
"""Time between two velocity commands: the robot holds one for about 1 s (docs/facts.md), 5-10 Hz is asked for."""

POSITION_TOLERANCE_M = 0.02
YAW_TOLERANCE_RAD = math.radians(1.5)
"""Both well inside the promised 5 cm and 5 degrees, so that the way the robot still rolls fits in."""

_GAIN = 2.0
"""Velocity per remaining way, 1/s: braking begins 0.2 m before the end at 0.4 m/s."""
_CREEP_M_S = 0.04
_CREEP_RAD_S = 0.06
"""Slower than this a Go2 steps on the spot; without a floor the last centimetres would take for ever."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The fastest a move may be (docs/safety.md, 6)."""

    max_speed: float = 0.4
    """m/s, over both directions together."""
    max_turn_rate: float = 0.8
    """rad/s."""

    @classmethod
    def from_settings(cls, settings: RobotSettings) -> Limits:
        """The limits that `[robot]` sets."""
        return cls(settings.max_speed, settings.max_turn_rate)


@dataclass(frozen=True, slots=True)
class Velocity:
    """What goes on the wire as Move: m/s forward and left, rad/s to the left, in the body frame."""

    x: float
    y: float
    yaw: float


def wrap(angle: float) -> float:
    """The same direction in [-pi, pi]."""
    return math.remainder(angle, math.tau)


class MoveTracker:
    """One move under way: from the pose it began at to the one asked for.

    `params` are a registry move's x, y (metres in the body frame of the start) and yaw (radians). Turning is
    counted, not read off: a whole turn is a whole turn although it ends in the direction it began in.
    """

    def __init__(self, params: Mapping[str, float], x: float, y: float, yaw: float, limits: Limits) -> None:
        ahead, left, turn = (float(params.get(key, 0.0)) for key in ("x", "y", "yaw"))
        self._limits = limits
        self._goal_x = x + ahead * math.cos(yaw) - left * math.sin(yaw)
        self._goal_y = y + ahead * math.sin(yaw) + left * math.cos(yaw)
        self._turn_left = turn
        self._last_yaw = yaw
        expected_s = max(math.hypot(ahead, left) / limits.max_speed, abs(turn) / limits.max_turn_rate)
        self.timeout_s = 1.5 * expected_s + 2.0
        """A move that takes longer has failed (docs/safety.md, 6)."""

    def step(self, x: float, y: float, yaw: float) -> Velocity | None:
        """The next velocity command for a robot seen at this pose, or None when it has arrived."""
        self._turn_left -= wrap(yaw - self._last_yaw)
        self._last_yaw = yaw
        dx, dy = self._goal_x - x, self._goal_y - y
        distance = math.hypot(dx, dy)
        walk = _approach(distance, POSITION_TOLERANCE_M, _CREEP_M_S, self._limits.max_speed)
        turn = _approach(abs(self._turn_left), YAW_TOLERANCE_RAD, _CREEP_RAD_S, self._limits.max_turn_rate)
        if walk == turn == 0.0:
            return None
        heading = math.atan2(dy, dx) - yaw
        return Velocity(walk * math.cos(heading), walk * math.sin(heading), math.copysign(turn, self._turn_left))


def _approach(remaining: float, tolerance: float, creep: float, fastest: float) -> float:
    if remaining <= tolerance:
        return 0.0
    return min(fastest, max(creep, _GAIN * remaining))
