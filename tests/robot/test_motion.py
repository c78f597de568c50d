"""From a way to go to velocities."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from claudiad.config import RobotSettings
from claudiad.robot.motion import REFRESH_S, Limits, MoveTracker, wrap

LIMITS = Limits(0.4, 0.8)


def walk(params: dict[str, float], start: tuple[float, float, float], grip: float = 1.0) -> tuple[float, ...]:
    """Follow the tracker's velocities on an ideal robot; the final pose, turns counted, and the seconds it took."""
    x, y, yaw = start
    tracker = MoveTracker(params, x, y, wrap(yaw), LIMITS)
    seconds = 0.0
    while (velocity := tracker.step(x, y, wrap(yaw))) is not None:
        assert math.hypot(velocity.x, velocity.y) <= LIMITS.max_speed + 1e-9
        assert abs(velocity.yaw) <= LIMITS.max_turn_rate + 1e-9
        middle = yaw + grip * velocity.yaw * REFRESH_S / 2
        x += grip * REFRESH_S * (velocity.x * math.cos(middle) - velocity.y * math.sin(middle))
        y += grip * REFRESH_S * (velocity.x * math.sin(middle) + velocity.y * math.cos(middle))
        yaw += grip * velocity.yaw * REFRESH_S
        seconds += REFRESH_S
        if seconds > tracker.timeout_s:
            break
    return x, y, yaw, seconds, tracker.timeout_s


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-math.tau, math.tau), st.floats(-3, 3), st.floats(0.85, 1.0))
def test_it_arrives_in_time(x: float, y: float, turn: float, heading: float, grip: float) -> None:
    """Every way within limits ends within 5 cm and 5 degrees before the time-out, from any heading, with slip."""
    end_x, end_y, end_yaw, seconds, timeout = walk({"x": x, "y": y, "yaw": turn}, (5.0, -2.0, heading), grip)
    goal_x = 5.0 + x * math.cos(heading) - y * math.sin(heading)
    goal_y = -2.0 + x * math.sin(heading) + y * math.cos(heading)
    assert math.hypot(end_x - goal_x, end_y - goal_y) <= 0.05
    assert abs(end_yaw - heading - turn) <= math.radians(5.0)
    assert seconds <= timeout


def test_a_whole_turn_is_a_whole_turn() -> None:
    """It does not stand still because the end looks like the beginning."""
    _, _, yaw, seconds, _ = walk({"yaw": math.tau}, (0.0, 0.0, 0.0))
    assert abs(yaw - math.tau) <= math.radians(5.0)
    assert seconds >= math.tau / LIMITS.max_turn_rate


def test_nowhere_to_go_is_arrived() -> None:
    """A move of nothing needs no command."""
    assert MoveTracker({}, 1.0, 2.0, 3.0, LIMITS).step(1.0, 2.0, 3.0) is None


def test_timeout_is_half_more_than_expected_and_two_seconds() -> None:
    """The end of a move that does not arrive is the promised one."""
    assert MoveTracker({"x": 2.0}, 0, 0, 0, LIMITS).timeout_s == 1.5 * 5.0 + 2.0
    assert MoveTracker({"yaw": -4.0}, 0, 0, 0, LIMITS).timeout_s == 1.5 * 5.0 + 2.0


def test_directions_follow_the_contract() -> None:
    """x is forward, y is left, yaw is to the left, whatever the heading."""
    for heading in (0.0, 1.0, -3.0):
        ahead = MoveTracker({"x": 1.0}, 0, 0, heading, LIMITS).step(0, 0, heading)
        left = MoveTracker({"y": 1.0}, 0, 0, heading, LIMITS).step(0, 0, heading)
        turn = MoveTracker({"yaw": 1.0}, 0, 0, heading, LIMITS).step(0, 0, heading)
        assert ahead is not None
        assert left is not None
        assert turn is not None
        assert math.isclose(ahead.x, 0.4)
        assert math.isclose(ahead.y, 0.0, abs_tol=1e-9)
        assert math.isclose(left.y, 0.4)
        assert (turn.x, turn.y, turn.yaw) == (0.0, 0.0, 0.8)


def test_limits_from_settings() -> None:
    """Both speeds of the configuration reach the walk."""
    assert Limits.from_settings(RobotSettings(max_speed=0.2, max_turn_rate=0.5)) == Limits(0.2, 0.5)
