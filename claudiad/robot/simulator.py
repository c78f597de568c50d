"""The body of a simulated Go2: postures with durations, odometry, battery, and a log of every call it got.

Synchronous and safe to call from any thread; time is what the injected `now` says and is integrated when somebody
looks. It speaks the robot's own ids and codes (docs/facts.md) and does what it is told: judging is the safety
compiler's part, so the body can show what happens when that fails (a robot damped while it stands falls).
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from claudiad.robot import registry
from claudiad.robot.base import always
from claudiad.robot.motion import wrap
from claudiad.robot.registry import ActionSpec
from claudiad.types import Posture, RobotState

OK = 0
NOT_IMPLEMENTED = 3203
BAD_PARAMETER = 3204
BAD_POSTURE = 4206
NOT_SENT = -1
"""Not a code of the robot: the caller's permit was gone when it was this call's turn."""

MOVE_HOLD_S = 1.0
"""How long the robot keeps a velocity that is not refreshed (docs/facts.md)."""

_DRAIN_IDLE = 100.0 / (4 * 3600)
_DRAIN_MOVING = 100.0 / (1.5 * 3600)
"""Percent per second: some four hours of standing, an hour and a half of walking."""

_LOG_LENGTH = 100_000
_MOVE_KEYS = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived at the robot."""

    t: float
    """Seconds on the simulator's clock."""
    api_id: int
    name: str
    """The registry's name, or the id as text when the registry has none."""
    params: Mapping[str, float | int | bool]
    """As on the wire: Move carries x, y (m/s) and z (rad/s)."""


class Go2Body:
    """The robot as the wire sees it."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        posture: Posture = Posture.STANDING,
        battery: float = 100.0,
        slip: float = 0.0,
        on_call: Callable[[Call], None] | None = None,
        table: Mapping[str, ActionSpec] | None = None,
    ) -> None:
        """`slip` is the part of every commanded movement that is lost, 0..1.

        `on_call` is called for each call in the order of arrival, on the thread it came from and before it takes
        effect: it must be quick, a stop waits for it.
        """
        self._now = now
        self._specs = {spec.api_id: spec for spec in (registry.load() if table is None else table).values()}
        self._on_call = on_call
        self._lock = threading.RLock()
        self._calls: deque[Call] = deque(maxlen=_LOG_LENGTH)
        self._at = now()
        self._posture = posture
        self._battery = battery
        self._grip = 1.0 - slip
        self._x = self._y = self._yaw = 0.0
        self._velocity = (0.0, 0.0, 0.0)
        self._velocity_until = self._at
        self._action: ActionSpec | None = None
        self._began = self._ends = self._at
        self._stops = 0
        self._falls = 0

    @property
    def calls(self) -> list[Call]:
        """Every call so far (the last 100,000), oldest first."""
        with self._lock:
            return list(self._calls)

    @property
    def stops(self) -> int:
        """StopMove calls so far."""
        return self._stops

    @property
    def falls(self) -> int:
        """How often it dropped to the ground because it was damped on its feet."""
        return self._falls

    def state(self) -> RobotState:
        """What it would report now."""
        with self._lock:
            self._advance()
            running = self._action.name if self._action else registry.MOVE if any(self._velocity) else None
            return RobotState(
                self._posture, math.floor(self._battery), self._x, self._y, wrap(self._yaw), running=running
            )

    def call(self, api_id: int, params: Mapping[str, float | int | bool], permit: Callable[[], bool] = always) -> int:
        """One call of the sport service; its result code.

        `permit` is asked while nothing else can arrive: a call is never logged behind a stop that took it away.
        What the firmware answers to a motion while another one runs is not known; here it is 4206. A Move that
        cannot be followed is ignored with code 0, as the robot does.
        """
        with self._lock:
            if not permit():
                return NOT_SENT
            self._advance()
            spec = self._specs.get(api_id)
            call = Call(self._at, api_id, spec.name if spec else str(api_id), dict(params))
            self._calls.append(call)
            if self._on_call is not None:
                self._on_call(call)
            if spec is None:
                return NOT_IMPLEMENTED
            if spec.name == registry.STOP:
                self._stop()
                return OK
            if spec.name == registry.MOVE:
                return self._move(params)
            return self._begin(spec)

    def _stop(self) -> None:
        self._stops += 1
        self._velocity = (0.0, 0.0, 0.0)
        if self._action is not None:
            # Half-way to another posture is none: it settles into the nearer one.
            if self._at - self._began >= (self._ends - self._began) / 2:
                self._posture = self._action.gives or self._posture
            self._action = None

    def _move(self, params: Mapping[str, float | int | bool]) -> int:
        velocity = tuple(float(params.get(key, 0.0)) for key in _MOVE_KEYS)
        if not all(map(math.isfinite, velocity)):
            return BAD_PARAMETER
        if self._posture is Posture.STANDING and self._action is None:
            self._velocity = (velocity[0], velocity[1], velocity[2])
            self._velocity_until = self._at + MOVE_HOLD_S
        return OK

    def _begin(self, spec: ActionSpec) -> int:
        if spec.name == registry.DAMP:
            self._falls += self._posture in (Posture.STANDING, Posture.SITTING)
            self._velocity = (0.0, 0.0, 0.0)
        elif self._action is not None or self._posture not in spec.needs:
            return BAD_POSTURE
        self._velocity = (0.0, 0.0, 0.0)
        self._action, self._began, self._ends = spec, self._at, self._at + spec.duration_s
        if self._posture == spec.gives:
            # Already there: the robot only confirms it.
            self._ends = self._at + min(spec.duration_s, 0.2) if spec.action_class == "safe" else self._ends
        return OK

    def _advance(self) -> None:
        now = max(self._now(), self._at)
        if any(self._velocity):
            rolled = min(now, self._velocity_until) - self._at
            self._integrate(max(rolled, 0.0))
            if now >= self._velocity_until:
                self._velocity = (0.0, 0.0, 0.0)
        busy = self._action is not None or any(self._velocity)
        drained = (now - self._at) * (_DRAIN_MOVING if busy else _DRAIN_IDLE)
        self._battery = max(0.0, self._battery - drained)
        self._at = now
        if self._action is not None and now >= self._ends:
            self._posture = self._action.gives or self._posture
            self._action = None

    def _integrate(self, seconds: float) -> None:
        """Along the arc that constant velocities in the body frame make (exact for any step length)."""
        vx, vy, turn = (part * self._grip for part in self._velocity)
        angle = turn * seconds
        if abs(angle) < 1e-9:
            along, across = seconds, 0.0
        else:
            along, across = math.sin(angle) / turn, (1.0 - math.cos(angle)) / turn
        ahead, left = vx * along - vy * across, vx * across + vy * along
        self._x += ahead * math.cos(self._yaw) - left * math.sin(self._yaw)
        self._y += ahead * math.sin(self._yaw) + left * math.cos(self._yaw)
        self._yaw += angle
