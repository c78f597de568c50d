"""State messages: what they say, and when they are due."""

from __future__ import annotations

import math
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from claudiad.go2sim.later import Later
from claudiad.go2sim.publish import Deadlines, StateMessages
from claudiad.robot.go2.sdk import Messages
from claudiad.robot.go2.telemetry import read
from claudiad.robot.simulator import Go2Body
from claudiad.types import Posture
from tests.robot.fakes import HandClock


def messages(*, old_firmware: bool = False) -> StateMessages:
    """With plain objects in the place of the SDK's."""

    def blank() -> SimpleNamespace:
        return SimpleNamespace(stamp=SimpleNamespace(), imu_state=SimpleNamespace(), bms_state=SimpleNamespace())

    kinds = SimpleNamespace(sport_mode_state=blank, low_state=blank)
    return StateMessages(cast(Messages, kinds), old_firmware=old_firmware)


def walking() -> Go2Body:
    """Half-way round to the left, and going on."""
    clock = HandClock()
    body = Go2Body(clock.now, battery=41.0)
    body.call(1008, {"z": math.pi / 2})
    clock.t = 1.0
    body.call(1008, {"x": 0.4, "y": 0.1, "z": 0.2})
    return body


def test_what_the_sport_state_says() -> None:
    """Time, state machine, odometry, attitude and velocity, in the SDK's fields."""
    m = messages().sport(walking().report(), 1_234_567_890_123)
    assert (m.stamp.sec, m.stamp.nanosec) == (1234, 567890123)
    assert (m.error_code, m.mode, m.gait_type, m.progress) == (1015, 3, 1, 0.0)
    assert m.velocity == pytest.approx([0.4, 0.1, 0.0])
    assert m.yaw_speed == pytest.approx(0.2)
    assert m.imu_state.rpy == pytest.approx([0.0, 0.0, math.pi / 2])
    assert m.imu_state.quaternion == pytest.approx([math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)])
    assert m.position == pytest.approx([0.0, 0.0, m.body_height])


def test_what_the_low_state_says() -> None:
    """The battery in whole percent, and a counter that fits its field."""
    m = messages().low(walking().report(), 2**32 + 5)
    assert (m.bms_state.soc, m.tick) == (41, 5)  # as it was given, although some of it is used up


@pytest.mark.parametrize("old_firmware", [False, True])
@pytest.mark.parametrize("posture", [Posture.STANDING, Posture.SITTING, Posture.LYING, Posture.DAMPED])
def test_the_adapter_reads_what_is_written(posture: Posture, old_firmware: bool) -> None:
    """By the numbers of current and of older firmware it sees the posture there is."""
    seen = Go2Body(HandClock().now, posture=posture).report()
    m = messages(old_firmware=old_firmware).sport(seen, 0)
    assert (m.error_code == 0) == old_firmware
    back: Any = read(
        error_code=m.error_code,
        mode=m.mode,
        height=m.body_height,
        position=(m.position[0], m.position[1]),
        yaw=m.imu_state.rpy[2],
        tilt=m.imu_state.rpy[0],
        velocity=(m.velocity[0], m.velocity[1]),
        yaw_speed=m.yaw_speed,
    )
    assert (back.posture, back.busy, back.moving) == (posture, False, False)


def test_delays_do_not_add_up() -> None:
    """Every deadline counts from the first; what was missed is left out."""
    deadlines = Deadlines({"fast": 0.02, "slow": 0.05}, 10.0)
    assert deadlines.due(10.0) == ["fast", "slow"]
    assert deadlines.due(10.01) == []
    assert deadlines.wait_s(10.01) == pytest.approx(0.01)
    assert deadlines.due(10.035) == ["fast"]
    assert deadlines.wait_s(10.035) == pytest.approx(0.005)
    assert deadlines.due(10.0401) == ["fast"]
    assert deadlines.due(12.013) == ["fast", "slow"]
    assert deadlines.due(12.014) == []
    assert deadlines.wait_s(99.0) == 0.0


def test_two_seconds_have_a_hundred_messages() -> None:
    """However late each one is by itself."""
    deadlines = Deadlines({"fast": 0.02}, 0.0)
    sent = sum(len(deadlines.due(n * 0.02 + 0.001 + (n % 7) * 0.002)) for n in range(100))
    assert sent == 100


def test_later_is_in_order_of_time_and_survives_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    """What is due first is done first, and one that raises takes none with it."""
    later, done, over = Later(), [], threading.Event()

    def fail() -> None:
        raise RuntimeError("as asked")

    later.after(0.05, over.set)
    later.after(0.02, lambda: done.append("second"))
    later.after(0.01, lambda: done.append("first"))
    later.after(0.0, fail)
    assert over.wait(10.0)
    assert done == ["first", "second"]
    assert "as asked" in caplog.text
