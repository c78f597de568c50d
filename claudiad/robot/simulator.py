"""The body of a simulated Go2: postures with durations, odometry, battery, and a log of every call it got.

Synchronous and safe to call from any thread; time is what the injected `now` says and is integrated when somebody
looks. It speaks the robot's own ids and codes (docs/facts.md) and does what it is told: judging is the safety
compiler's part, so the body can show what happens when that fails (a robot damped while it stands falls).

There is where it is (`pose`) and where it believes it is: odometry, which `report` and `state` show. Both lose what
slips; noise and drift are odometry's alone.
"""

from __future__ import annotations

import math
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from claudiad.robot import firmware, registry
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

REMOTE_M_S, REMOTE_S = 0.3, 3.0
"""How fast, and how long, a person with the remote control walks it."""


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


@dataclass(frozen=True, slots=True)
class Report:
    """What its firmware would publish: odometry in metres and radians, x forward and y left at the start."""

    posture: Posture
    battery: float
    """Percent; `soc` is what the robot says of it."""
    x: float
    y: float
    yaw: float
    vx: float
    vy: float
    """m/s in the body frame."""
    yaw_speed: float
    """rad/s, left positive."""
    running: str | None
    """Name of the action in progress; `move` while it walks."""
    progress: float
    """How far that action is, 0..1; 0 when there is none."""
    machine: int
    """`error_code` of current firmware."""
    mode: int
    """`mode` of older firmware."""
    height: float
    """Metres."""

    @property
    def soc(self) -> int:
        """State of charge in whole percent; a percent counts until it is used up."""
        return math.ceil(self.battery)


class Pose:
    """A place and a direction that velocities carry on."""

    def __init__(self) -> None:
        self.x = self.y = self.yaw = 0.0

    def advance(self, vx: float, vy: float, turn: float, seconds: float) -> None:
        """Along the arc that constant velocities in the body frame make (exact for any step length)."""
        angle = turn * seconds
        if abs(angle) < 1e-9:
            along, across = seconds, 0.0
        else:
            along, across = math.sin(angle) / turn, (1.0 - math.cos(angle)) / turn
        ahead, left = vx * along - vy * across, vx * across + vy * along
        self.x += ahead * math.cos(self.yaw) - left * math.sin(self.yaw)
        self.y += ahead * math.sin(self.yaw) + left * math.cos(self.yaw)
        self.yaw += angle


class Go2Body:
    """The robot as the wire sees it."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        posture: Posture = Posture.STANDING,
        battery: float = 100.0,
        slip: float = 0.0,
        drift: float = 0.0,
        noise: float = 0.0,
        seed: int = 0,
        unlock_s: float = 0.0,
        legacy: bool = True,
        on_call: Callable[[Call], None] | None = None,
        table: Mapping[str, ActionSpec] | None = None,
    ) -> None:
        """Every way of being less than perfect is off unless asked for.

        `slip`: the part of every commanded movement that is lost, 0..1. `drift`: odometry counts this part too much
        of every movement. `noise`: standard deviation of each reading of odometry, in metres, and in radians of
        heading; `seed` makes it the same each time. `unlock_s`: after StandUp the joints are locked so long, or until
        BalanceStand. `legacy`: it knows the actions only older firmware knows.

        `on_call` is called for each call in the order of arrival, on the thread it came from and before it takes
        effect: it must be quick, a stop waits for it.
        """
        self._now = now
        specs = (registry.load() if table is None else table).values()
        self._specs = {s.api_id: s for s in specs if s.service == "sport" and (legacy or not s.legacy)}
        self._sit = registry.load()["Sit"]
        self._on_call = on_call
        self._lock = threading.RLock()
        self._calls: deque[Call] = deque(maxlen=_LOG_LENGTH)
        self._at = now()
        self._posture = posture
        self._battery = battery
        self._grip = 1.0 - slip
        self._scale = 1.0 + drift
        self._noise = noise
        self._random = random.Random(seed)
        self._true, self._odometry = Pose(), Pose()
        self._velocity = (0.0, 0.0, 0.0)
        self._velocity_until = self._at
        self._unlock_s = unlock_s
        self._locked_until = self._at
        self._gait = firmware.WALK
        self._action: ActionSpec | None = None
        self._ended: Callable[[bool], None] | None = None
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

    @property
    def pose(self) -> tuple[float, float, float]:
        """Where it is in truth: metres and radians, x forward and y left at the start; the yaw counts whole turns."""
        with self._lock:
            self._advance()
            return self._true.x, self._true.y, self._true.yaw

    def set_battery(self, percent: float) -> None:
        """Charge or discharge it to `percent` (0..100)."""
        with self._lock:
            self._advance()
            self._battery = percent

    def remote(self, what: Literal["sit", "walk"]) -> bool:
        """A person with the remote control makes it sit, or walk for three seconds; False when it cannot now."""
        with self._lock:
            self._advance()
            if what == "sit":
                return self._begin(self._sit, None) == OK
            if self._posture is not Posture.STANDING or self._action is not None:
                return False
            self._locked_until = self._at
            self._velocity = (REMOTE_M_S, 0.0, 0.0)
            self._velocity_until = self._at + REMOTE_S
            return True

    def state(self) -> RobotState:
        """What it would report now."""
        seen = self.report()
        return RobotState(seen.posture, seen.soc, seen.x, seen.y, seen.yaw, running=seen.running)

    def report(self) -> Report:
        """The same with all the firmware tells."""
        with self._lock:
            self._advance()
            action, walking, locked = self._action, any(self._velocity), self._at < self._locked_until
            vx, vy, turn = (part * self._grip for part in self._velocity)
            progress = 0.0 if action is None else (self._at - self._began) / max(self._ends - self._began, 1e-9)
            return Report(
                posture=self._posture,
                battery=self._battery,
                x=self._read(self._odometry.x),
                y=self._read(self._odometry.y),
                yaw=wrap(self._read(self._odometry.yaw)),
                vx=vx,
                vy=vy,
                yaw_speed=turn,
                running=action.name if action else registry.MOVE if walking else None,
                progress=progress,
                machine=firmware.machine(self._posture, action, self._gait if walking else None, locked),
                mode=firmware.mode(self._posture, action, walking, locked),
                height=firmware.height(self._posture, action, progress),
            )

    def call(
        self,
        api_id: int,
        params: Mapping[str, float | int | bool],
        permit: Callable[[], bool] = always,
        ended: Callable[[bool], None] | None = None,
    ) -> int:
        """One call of the sport service; its result code.

        `permit` is asked while nothing else can arrive: a call is never logged behind a stop that took it away.
        `ended` is called when an action that was accepted ends: True when it was completed, False when something
        stopped it; on the thread that notices, and it must be quick. Not for stop and Move, which take no time.

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
            return self._begin(spec, ended)

    def _stop(self) -> None:
        self._stops += 1
        self._velocity = (0.0, 0.0, 0.0)
        if self._action is not None:
            # Half-way to another posture is none: it settles into the nearer one. Limp legs hold nothing, though.
            near = self._at - self._began >= (self._ends - self._began) / 2
            if near or self._action.name == registry.DAMP:
                self._settle(self._action)
            self._end(completed=False)

    def _move(self, params: Mapping[str, float | int | bool]) -> int:
        velocity = tuple(float(params.get(key, 0.0)) for key in _MOVE_KEYS)
        if not all(map(math.isfinite, velocity)):
            return BAD_PARAMETER
        if self._posture is Posture.STANDING and self._action is None and self._at >= self._locked_until:
            self._velocity = (velocity[0], velocity[1], velocity[2])
            self._velocity_until = self._at + MOVE_HOLD_S
        return OK

    def _begin(self, spec: ActionSpec, ended: Callable[[bool], None] | None) -> int:
        if spec.name == registry.DAMP:
            self._falls += self._posture in (Posture.STANDING, Posture.SITTING)
            self._end(completed=False)
        elif self._action is not None or self._posture not in spec.needs:
            return BAD_POSTURE
        self._velocity = (0.0, 0.0, 0.0)
        self._action, self._ended, self._began, self._ends = spec, ended, self._at, self._at + spec.duration_s
        if self._posture == spec.gives:
            # Already there: the robot only confirms it.
            self._ends = self._at + min(spec.duration_s, 0.2) if spec.action_class == "safe" else self._ends
        return OK

    def _settle(self, spec: ActionSpec) -> None:
        """Be where an action leads."""
        self._posture = spec.gives or self._posture
        self._gait = firmware.gait(spec) or self._gait
        if spec.name == registry.STAND_UP:
            self._locked_until = min(self._at, self._ends) + self._unlock_s
        elif spec.gives is not None or firmware.trick(spec):
            self._locked_until = self._at

    def _end(self, *, completed: bool) -> None:
        ended, self._action, self._ended = self._ended, None, None
        if ended is not None:
            ended(completed)

    def _advance(self) -> None:
        now = max(self._now(), self._at)
        if any(self._velocity):
            rolled = max(min(now, self._velocity_until) - self._at, 0.0)
            vx, vy, turn = (part * self._grip for part in self._velocity)
            self._true.advance(vx, vy, turn, rolled)
            scale = self._scale
            self._odometry.advance(vx * scale, vy * scale, turn * scale, rolled)
            if now >= self._velocity_until:
                self._velocity = (0.0, 0.0, 0.0)
        busy = self._action is not None or any(self._velocity)
        drained = (now - self._at) * (_DRAIN_MOVING if busy else _DRAIN_IDLE)
        self._battery = max(0.0, self._battery - drained)
        self._at = now
        if self._action is not None and now >= self._ends:
            self._settle(self._action)
            self._end(completed=True)

    def _read(self, value: float) -> float:
        return value + self._random.gauss(0.0, self._noise) if self._noise else value
