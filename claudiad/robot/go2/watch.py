"""What the robot reported last, how old that is, and whether somebody else is commanding it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from claudiad.robot.go2.link import Link
from claudiad.robot.go2.telemetry import Seen, read
from claudiad.robot.motion import wrap
from claudiad.types import Posture, RobotState

GRACE_S = 2.0
"""So long after the last own command movement is still put down to it: a robot settles, and coasts."""
FOREIGN_S = 2.0
"""So long after movement nobody here asked for the robot is somebody else's."""
UNKNOWN_BATTERY = -1


class Watch:
    """Listens to the robot's state. `state` is cheap and may be asked from any thread."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seen: Seen | None = None
        self._at = -math.inf
        self._posture = Posture.UNKNOWN
        self._battery = UNKNOWN_BATTERY
        self._origin = (0.0, 0.0, 0.0)
        self._own: str | None = None
        self._own_at = -math.inf
        self._foreign_at = -math.inf
        self._theirs = False
        self._rises = 0

    def listen(self, link: Link) -> None:
        """Subscribe to state and battery."""
        m = link.messages
        link.reader("rt/sportmodestate", m.SportModeState, self._sport)
        link.reader("rt/lf/lowstate", m.LowState, self._low)

    @property
    def age_s(self) -> float:
        """Seconds since the robot reported anything; infinite when it never has."""
        return self._now() - self._at

    @property
    def seen(self) -> Seen | None:
        """The last report, or None."""
        return self._seen

    @property
    def busy_count(self) -> int:
        """How often a gesture, jump or dance was seen to begin."""
        return self._rises

    @property
    def foreign(self) -> bool:
        """Somebody else moves the robot: it does what nobody here asked for."""
        return self._now() - self._foreign_at < FOREIGN_S

    def own(self, action: str | None) -> None:
        """What is being commanded from here; None = nothing any more."""
        with self._lock:
            self._own, self._own_at = action, self._now()

    def state(self) -> RobotState:
        """The state in the frame of the first report: x forward, y left, where it stood then."""
        with self._lock:
            seen, age_ms = self._seen, (self._now() - self._at) * 1000.0
            if seen is None:
                return RobotState(Posture.UNKNOWN, self._battery, age_ms=age_ms)
            x0, y0, yaw0 = self._origin
            dx, dy = seen.x - x0, seen.y - y0
            return RobotState(
                self._posture,
                self._battery,
                dx * math.cos(yaw0) + dy * math.sin(yaw0),
                dy * math.cos(yaw0) - dx * math.sin(yaw0),
                wrap(seen.yaw - yaw0),
                running=self._own or ("remote" if seen.busy or seen.walking or seen.moving else None),
                age_ms=age_ms,
            )

    def _sport(self, m: Any) -> None:
        seen = read(
            error_code=int(m.error_code),
            mode=int(m.mode),
            height=float(m.body_height),
            position=(float(m.position[0]), float(m.position[1])),
            yaw=float(m.imu_state.rpy[2]),
            velocity=(float(m.velocity[0]), float(m.velocity[1])),
            yaw_speed=float(m.yaw_speed),
        )
        now = self._now()
        with self._lock:
            before, was = self._seen, self._posture
            if before is None and seen.posture is not Posture.UNKNOWN:
                self._origin = (seen.x, seen.y, seen.yaw)
            self._rises += seen.busy and not (before and before.busy)
            self._posture = seen.posture or self._posture
            self._seen, self._at = seen, now
            self._whose(before, seen, changed=before is not None and self._posture is not was, now=now)

    def _whose(self, before: Seen | None, seen: Seen, *, changed: bool, now: float) -> None:
        """Movement belongs to whoever it began with: a dance that goes on after its stop is still this one's."""
        goes_on = seen.busy or seen.moving
        began = (seen.busy and not (before and before.busy)) or (seen.moving and not (before and before.moving))
        if self._own is not None or now - self._own_at <= GRACE_S:
            self._theirs = False
        elif began or changed:
            self._theirs = True
        if self._theirs and (goes_on or changed):
            self._foreign_at = now
        self._theirs = self._theirs and goes_on

    def _low(self, m: Any) -> None:
        self._battery = min(100, int(m.bms_state.soc))
