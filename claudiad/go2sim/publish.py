"""The body's report as the SDK's state messages, and when each is due."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from claudiad.robot.go2.sdk import Messages
from claudiad.robot.registry import MOVE
from claudiad.robot.simulator import Report

SPORT, SPORT_LF, LOW_LF = "rt/sportmodestate", "rt/lf/sportmodestate", "rt/lf/lowstate"
PERIODS_S: Mapping[str, float] = {SPORT: 1 / 50, SPORT_LF: 1 / 20, LOW_LF: 1 / 10}


class Deadlines:
    """When what happens every so often is due, on a clock that does not go back."""

    def __init__(self, periods_s: Mapping[str, float], now: float) -> None:
        self._periods = dict(periods_s)
        self._next = dict.fromkeys(periods_s, now)

    def due(self, now: float) -> list[str]:
        """What is due. Delays do not add up; what was missed altogether is left out, not made up for."""
        ready = [name for name, at in self._next.items() if at <= now]
        for name in ready:
            period = self._periods[name]
            self._next[name] += period * (math.floor((now - self._next[name]) / period) + 1)
        return ready

    def wait_s(self, now: float) -> float:
        """Seconds until the next one."""
        return max(0.0, min(self._next.values()) - now)


class StateMessages:
    """Fills the SDK's messages; each of its own is used again and again."""

    def __init__(self, messages: Messages, *, old_firmware: bool = False) -> None:
        """`old_firmware`: `error_code` stays 0, and only `mode` tells the state."""
        self._sport = messages.sport_mode_state()
        self._low = messages.low_state()
        self._old = old_firmware

    def sport(self, seen: Report, wall_ns: int) -> Any:
        """A SportModeState; `wall_ns` is the time of day for its stamp, in nanoseconds since 1970."""
        m = self._sport
        m.stamp.sec, m.stamp.nanosec = divmod(wall_ns, 1_000_000_000)
        m.error_code = 0 if self._old else seen.machine
        m.mode = seen.mode
        m.progress = seen.progress
        m.gait_type = int(seen.running == MOVE)
        m.position = [seen.x, seen.y, seen.height]
        m.body_height = seen.height
        m.velocity = [seen.vx, seen.vy, 0.0]
        m.yaw_speed = seen.yaw_speed
        self._imu(m.imu_state, seen)
        return m

    def low(self, seen: Report, tick_ms: int) -> Any:
        """A LowState with the battery and the attitude; the rest is zero. `tick_ms` counts up."""
        m = self._low
        m.tick = tick_ms & 0xFFFFFFFF
        m.bms_state.soc = seen.soc
        m.power_v = 25.0 + 0.08 * seen.battery
        self._imu(m.imu_state, seen)
        return m

    def _imu(self, imu: Any, seen: Report) -> None:
        imu.rpy = [0.0, 0.0, seen.yaw]
        imu.quaternion = [math.cos(seen.yaw / 2), 0.0, 0.0, math.sin(seen.yaw / 2)]
        imu.gyroscope = [0.0, 0.0, seen.yaw_speed]
