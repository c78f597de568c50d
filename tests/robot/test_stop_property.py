"""Stops at random times in random sequences: the simulator's log is the judge."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.clock import JumpClock
from claudiad.robot import registry
from claudiad.robot.base import Status
from claudiad.robot.dispatcher import Dispatcher
from claudiad.robot.safety import Policy
from claudiad.robot.sim import SimRobot
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Posture
from tests.robot.fakes import act

steps = st.one_of(
    st.sampled_from([name for name in registry.load() if name not in ("stop", "move")]).map(act),
    st.builds(lambda x, yaw: act("move", x=x, yaw=yaw), st.floats(-2, 2), st.floats(-4, 4)),
)
rounds = st.lists(
    st.tuples(
        st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=3),
        st.floats(0.0, 15.0),
        st.sampled_from(["dispatcher", "lane", "thread", "cancel"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(rounds, st.sampled_from([Posture.STANDING, Posture.SITTING, Posture.LYING, Posture.DAMPED]))
def test_after_a_stop_nothing_but_stop_until_a_new_command(plan: list[tuple], posture: Posture) -> None:  # type: ignore[type-arg]
    """Whatever runs or waits, whenever and however the stop comes, the wire carries nothing but stop behind it."""

    async def run() -> None:
        clock = JumpClock()
        pictures = TemporaryDirectory()
        robot = SimRobot(clock, posture, photos=Path(pictures.name))
        lane = StopLane(robot, clock, retry_s=0.0)
        lane.start()
        dispatcher = Dispatcher(robot, lane, Policy(allow_high_risk=True), clock)
        try:
            for sequences, after_s, how, latch in plan:
                tasks = [asyncio.create_task(dispatcher.run(sequence)) for sequence in sequences]
                await clock.sleep(after_s)
                stopped = await _stop(how, latch, dispatcher=dispatcher, lane=lane, tasks=tasks, robot=robot)
                await asyncio.wait(tasks)
                await clock.sleep(30.0)
                behind = {call.name for call in robot.calls[stopped:]}
                assert behind <= {"stop"}
                assert robot.state().running is None
                if latch and how != "cancel":
                    before = len(robot.calls)
                    refused = await dispatcher.run([act("Sit")])
                    assert [r.status for r in refused] == [Status.REFUSED]
                    lane.reset()
                    await clock.sleep(1.0)
                    assert len(robot.calls) == before
        finally:
            lane.close()
            pictures.cleanup()
        assert robot.body.falls == 0

    asyncio.run(run())


async def _stop(
    how: str,
    latch: bool,
    *,
    dispatcher: Dispatcher,
    lane: StopLane,
    tasks: list[asyncio.Task],  # type: ignore[type-arg]
    robot: SimRobot,
) -> int:
    """Stop by one of the ways there are; the length of the log when the stop was asked for."""
    asked = len(robot.calls)
    if how == "dispatcher":
        assert (await dispatcher.stop("test", latch)).acknowledged
    elif how == "lane":
        # The loop stands still meanwhile: the lane needs nothing from it.
        assert lane.request("test", latch).result(10.0).acknowledged
    elif how == "thread":
        future, asked = await asyncio.to_thread(lambda: (lane.request("test", latch), len(robot.calls)))
        assert (await asyncio.wrap_future(future)).acknowledged
    else:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return asked
