"""From the robot's numbers to a posture: known codes, the older firmware's modes, and what is not known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.robot.go2.telemetry import Seen, read
from claudiad.types import Posture


def seen(error_code: int = 0, mode: int = 0, height: float = 0.32, **more: object) -> Seen:
    fields: dict[str, object] = {
        "position": (0.0, 0.0),
        "yaw": 0.0,
        "tilt": 0.0,
        "velocity": (0.0, 0.0),
        "yaw_speed": 0.0,
    }
    return read(error_code=error_code, mode=mode, height=height, **(fields | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "posture"),
    [
        (100, Posture.STANDING),
        (1001, Posture.DAMPED),
        (1002, Posture.STANDING),
        (1004, Posture.LYING),
        (2006, Posture.LYING),
        (1007, Posture.SITTING),
        (1013, Posture.STANDING),
        (1015, Posture.STANDING),
        (1016, Posture.STANDING),
        (1017, Posture.STANDING),
        (4242, Posture.UNKNOWN),
    ],
)
def test_the_state_machine_says_the_posture(code: int, posture: Posture) -> None:
    """docs/facts.md; a code nobody has named is not assumed good."""
    assert seen(code).posture is posture
    assert seen(code, mode=10).posture is posture, "the older firmware's field does not matter then"


@pytest.mark.parametrize("code", [1006, 1008, 1009])
def test_while_something_is_going_on_the_posture_stays(code: int) -> None:
    """A gesture, a jump, a pounce: busy, and nothing about the posture."""
    assert seen(code).posture is None
    assert seen(code).busy


def test_stand_up_locks_the_joints() -> None:
    """1002, or mode 6 of older firmware: Move is ignored until BalanceStand."""
    assert seen(1002).locked
    assert seen(mode=6).locked
    assert not seen(1013).locked


@pytest.mark.parametrize(
    ("mode", "height", "posture"),
    [
        (1, 0.3, Posture.STANDING),
        (3, 0.3, Posture.STANDING),
        (5, 0.1, Posture.LYING),
        (7, 0.1, Posture.DAMPED),
        (10, 0.2, Posture.SITTING),
        (0, 0.32, Posture.STANDING),
        (0, 0.0, Posture.UNKNOWN),
        (99, 0.3, Posture.UNKNOWN),
    ],
)
def test_older_firmware_says_it_by_mode(mode: int, height: float, posture: Posture) -> None:
    """`error_code` 0 is no state; mode 0 is standing only at a standing height."""
    assert seen(0, mode, height).posture is posture


def test_movement_counts_whatever_the_state_machine_says() -> None:
    """A body that is carried, pushed or driven moves."""
    assert not seen(1013, velocity=(0.05, 0.0)).moving
    assert seen(1013, velocity=(0.2, 0.0)).moving
    assert seen(1013, yaw_speed=-0.5).moving


@given(
    st.integers(0, 1 << 32),
    st.integers(0, 255),
    st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 2),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_nothing_it_can_send_is_taken_for_a_pose(code: int, mode: int, pair: tuple[float, float], one: float) -> None:
    """Numbers that are none give an unknown posture and no pose."""
    got = seen(code, mode, position=pair, yaw=one, velocity=pair, yaw_speed=one)
    numbers = all(map(math.isfinite, (*pair, one)))
    assert all(map(math.isfinite, (got.x, got.y, got.yaw))) == numbers
    if not numbers:
        assert got.posture is Posture.UNKNOWN
        assert got.moving


@pytest.mark.parametrize("tilt", [0.9, 3.1, math.nan])
def test_a_robot_on_its_side_does_not_stand(tilt: float) -> None:
    """Whatever its state machine says; sitting and lying lean as they like."""
    assert seen(1013, tilt=tilt).posture is Posture.UNKNOWN
    assert seen(1013, tilt=0.3).posture is Posture.STANDING
    assert seen(1007, tilt=0.9).posture is Posture.SITTING
