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
GAP_S = 0.5
"""After a silence longer than this nothing is concluded from what has changed meanwhile."""
BATTERY_S = 10.0
"""A charge that was reported longer ago is not known any more."""
JUMP_M, JUMP_RAD = 0.5, 1.0
"""Between two reports no robot gets this far: its odometry began anew."""
UNKNOWN_BATTERY = -1

STOP_MOVE = 1003
INTERNAL = 100
"""Requests up to this number ask a service about itself."""
_STICKS = 0.1

Pose = tuple[float, float, float]


class Watch:
    """Listens to the robot's state. `state` is cheap and may be asked from any thread."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seen: Seen | None = None
        self._at = -math.inf
        self._posture = Posture.UNKNOWN
        self._battery, self._battery_at = UNKNOWN_BATTERY, -math.inf
        self._origin: Pose | None = None
        self._pose: Pose = (0.0, 0.0, 0.0)
        """As the robot counts it; the last that was one."""
        self._own: str | None = None
        self._own_at = -math.inf
        self._foreign_at = -math.inf
        self._theirs = False
        self._rises = self._jumps = self._stops = 0

    def listen(self, link: Link) -> None:
        """Subscribe to state and battery, and to what others send: requests, and the remote control's sticks."""
        m = link.messages
        link.reader("rt/sportmodestate", m.SportModeState, self._sport)
        link.reader("rt/lf/lowstate", m.LowState, self._low)
        link.reader("rt/api/sport/request", m.Request, self._request, others=True)
        link.reader("rt/wirelesscontroller", m.WirelessController, self._sticks)

    @property
    def seen(self) -> Seen | None:
        """The last report, or None."""
        return self._seen

    @property
    def busy_count(self) -> int:
        """How often a gesture, jump or dance was seen to begin."""
        return self._rises

    @property
    def jumps(self) -> int:
        """How often odometry began anew: a robot that was switched on again counts from where it is."""
        return self._jumps

    @property
    def stops(self) -> int:
        """StopMoves of other programs: what is under way here ends with them."""
        return self._stops

    @property
    def foreign(self) -> bool:
        """Somebody else moves the robot: it does what nobody here asked for."""
        return self._now() - self._foreign_at < FOREIGN_S

    def own(self, action: str | None) -> None:
        """What is being commanded from here; None = nothing any more."""
        with self._lock:
            self._own, self._own_at = action, self._now()

    def taken(self) -> None:
        """Something of our own was seen to be ended by somebody else."""
        self._foreign_at = self._now()

    def touch(self) -> None:
        """Something was sent from here that may move the robot: a stop ends what is under way."""
        self._own_at = self._now()

    def state(self) -> RobotState:
        """The state in the frame of the first report: x forward, y left, where it stood then."""
        with self._lock:
            seen, now = self._seen, self._now()
            battery = self._battery if now - self._battery_at <= BATTERY_S else UNKNOWN_BATTERY
            age_ms = (now - self._at) * 1000.0
            if seen is None or self._origin is None:
                return RobotState(Posture.UNKNOWN, battery, age_ms=age_ms)
            (x0, y0, yaw0), (x, y, yaw) = self._origin, self._pose
            dx, dy = x - x0, y - y0
            return RobotState(
                self._posture,
                battery,
                dx * math.cos(yaw0) + dy * math.sin(yaw0),
                dy * math.cos(yaw0) - dx * math.sin(yaw0),
                wrap(yaw - yaw0),
                running=self._own or ("remote" if seen.busy or seen.moving else None),
                age_ms=age_ms,
            )

    def _sport(self, m: Any) -> None:
        rpy = [float(angle) for angle in m.imu_state.rpy]
        seen = read(
            error_code=int(m.error_code),
            mode=int(m.mode),
            height=float(m.body_height),
            position=(float(m.position[0]), float(m.position[1])),
            yaw=rpy[2],
            tilt=max(abs(rpy[0]), abs(rpy[1])) if math.isfinite(rpy[0] + rpy[1]) else math.nan,
            velocity=(float(m.velocity[0]), float(m.velocity[1])),
            yaw_speed=float(m.yaw_speed),
        )
        now = self._now()
        with self._lock:
            before, was, gap = self._seen, self._posture, now - self._at
            self._take_pose(seen)
            self._rises += seen.busy and not (before and before.busy)
            self._posture = seen.posture or self._posture
            self._seen, self._at = seen, now
            if before is not None and gap <= GAP_S:
                self._whose(before, seen, changed=self._posture is not was, now=now)

    def _take_pose(self, seen: Seen) -> None:
        pose = (seen.x, seen.y, seen.yaw)
        if not math.isfinite(sum(pose)):
            return
        far = math.hypot(pose[0] - self._pose[0], pose[1] - self._pose[1]) > JUMP_M
        if self._origin is None:
            self._origin = pose
        elif far or abs(wrap(pose[2] - self._pose[2])) > JUMP_RAD:
            self._origin, self._jumps = pose, self._jumps + 1
        self._pose = pose

    def _whose(self, before: Seen, seen: Seen, *, changed: bool, now: float) -> None:
        """Movement belongs to whoever it began with: a dance that goes on after its stop is still this one's."""
        goes_on = seen.busy or seen.moving
        began = (seen.busy and not before.busy) or (seen.moving and not before.moving)
        # What begins while something of our own goes on is put down to that; what begins soon after it, when it lasts.
        self._theirs = self._own is None and goes_on and (self._theirs or began)
        if self._own is None and now - self._own_at > GRACE_S and (self._theirs or changed):
            self._foreign_at = now

    def _low(self, m: Any) -> None:
        charge = int(m.bms_state.soc)
        self._battery, self._battery_at = charge if 0 <= charge <= 100 else UNKNOWN_BATTERY, self._now()

    def _request(self, m: Any) -> None:
        """Another program's command: the robot is theirs; or its stop, and everything here ends too."""
        api_id = int(m.header.identity.api_id)
        if api_id == STOP_MOVE:
            self._stops += 1
        elif api_id > INTERNAL:
            self._foreign_at = self._now()

    def _sticks(self, m: Any) -> None:
        if m.keys or any(abs(float(way)) > _STICKS for way in (m.lx, m.ly, m.rx, m.ry)):
            self._foreign_at = self._now()
