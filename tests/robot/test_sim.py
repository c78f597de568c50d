"""The engines `sim` and `none` behind the Robot protocol."""

from __future__ import annotations

import asyncio
import itertools
import math

import pytest

from claudiad.clock import JumpClock
from claudiad.robot.base import Robot, Status
from claudiad.robot.sim import NullRobot, SimRobot
from claudiad.types import Action, Posture
from tests.robot.fakes import act


async def test_perform_ends_when_the_state_shows_it() -> None:
    """An action is done when the body has done it, and takes as long as the table says on the clock."""
    clock = JumpClock()
    robot = SimRobot(clock)
    outcome = await robot.perform(act("Sit"))
    assert outcome.status is Status.DONE
    assert robot.state().posture is Posture.SITTING
    assert 1.5 <= clock.now() <= 1.6


async def test_a_stop_ends_perform() -> None:
    """A stop from the side ends the running action, and perform says so."""
    clock = JumpClock()
    robot = SimRobot(clock)

    async def stop() -> None:
        await clock.sleep(0.7)
        assert robot.stop_now()

    outcome, _ = await asyncio.gather(robot.perform(act("Dance1")), stop())
    assert outcome.status is Status.INTERRUPTED
    assert clock.now() < 0.8
    assert [call.name for call in robot.calls] == ["Dance1", "stop"]


async def test_a_permit_that_is_withdrawn_ends_perform() -> None:
    """Without a stop on the wire yet, a withdrawn permit ends the wait and sends no more velocities."""
    clock = JumpClock()
    robot = SimRobot(clock)
    outcome = await robot.perform(act("move", x=2.0), lambda: clock.now() < 1.0)
    assert outcome.status is Status.INTERRUPTED
    assert all(call.t <= 1.0 for call in robot.calls if call.name == "move")
    assert robot.calls[-1].name == "stop"


@pytest.mark.parametrize(
    ("params", "goal"),
    [
        ({"x": 1.0}, (1.0, 0.0, 0.0)),
        ({"x": -0.3}, (-0.3, 0.0, 0.0)),
        ({"y": 0.5}, (0.0, 0.5, 0.0)),
        ({"yaw": math.pi / 2}, (0.0, 0.0, math.pi / 2)),
        ({"x": 2.0, "y": 1.0, "yaw": -math.pi / 2}, (2.0, 1.0, -math.pi / 2)),
        ({"yaw": math.tau}, (0.0, 0.0, 0.0)),
    ],
)
@pytest.mark.parametrize("slip", [0.0, 0.15])
async def test_move_goes_there_and_stops(params: dict[str, float], goal: tuple[float, ...], slip: float) -> None:
    """A move ends within 5 cm and 5 degrees, slip or not, with a StopMove as the last thing on the wire."""
    robot = SimRobot(JumpClock(), slip=slip)
    outcome = await robot.perform(act("move", **params))
    seen = robot.state()
    assert outcome.status is Status.DONE
    assert math.hypot(seen.x - goal[0], seen.y - goal[1]) <= 0.05
    assert abs(math.remainder(seen.yaw - goal[2], math.tau)) <= math.radians(5.0)
    assert robot.calls[-1].name == "stop"
    assert seen.running is None


async def test_velocities_are_refreshed_at_five_to_ten_hertz_within_the_limits() -> None:
    """Between two velocities on the wire lie 100 to 200 ms, and none is faster than allowed."""
    robot = SimRobot(JumpClock())
    await robot.perform(act("move", x=1.0, yaw=3.0))
    moves = [call for call in robot.calls if call.name == "move"]
    gaps = [b.t - a.t for a, b in itertools.pairwise(moves)]
    assert all(0.0999 <= gap <= 0.2 for gap in gaps)
    assert all(math.hypot(call.params["x"], call.params["y"]) <= 0.4 + 1e-9 for call in moves)
    assert all(abs(call.params["z"]) <= 0.8 for call in moves)


async def test_a_move_that_does_not_get_on_ends() -> None:
    """A robot that stands still is given up after 1.5 times the expected time and 2 s, stopped, and said so."""
    clock = JumpClock()
    robot = SimRobot(clock, slip=1.0)
    outcome = await robot.perform(act("move", x=0.4))
    assert outcome.status is Status.UNKNOWN
    assert outcome.text.endswith("。")
    assert clock.now() == pytest.approx(3.5, abs=0.11)
    assert robot.calls[-1].name == "stop"


async def test_a_cancelled_move_stops_the_robot() -> None:
    """Cancelling perform leaves nothing rolling."""
    clock = JumpClock()
    robot = SimRobot(clock)
    task = asyncio.create_task(robot.perform(act("move", x=3.0)))
    await clock.sleep(1.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert robot.calls[-1].name == "stop"
    assert robot.state().running is None


async def test_what_the_body_rejects_is_refused_in_japanese() -> None:
    """A wrong posture and an unknown id are outcomes with a sentence, not exceptions."""
    robot = SimRobot(JumpClock(), Posture.LYING)
    for action in (act("Dance1"), Action("fly", 4711)):
        outcome = await robot.perform(action)
        assert outcome.status is Status.REFUSED
        assert outcome.text.endswith("。")


async def test_start_and_close_send_nothing() -> None:
    """Connecting and disconnecting send no motion."""
    robot = SimRobot(JumpClock())
    await robot.start()
    await robot.close()
    assert robot.calls == []


async def test_the_null_robot_executes_nothing() -> None:
    """Engine `none` knows the state it was given, acknowledges a stop and performs nothing."""
    robot: Robot = NullRobot(Posture.SITTING, 42)
    await robot.start()
    outcome = await robot.perform(act("StandUp"))
    await robot.close()
    assert outcome.status is Status.UNREACHABLE
    assert (robot.state().posture, robot.state().battery) == (Posture.SITTING, 42)
    assert robot.stop_now()
