"""One motion at a time, and every stop ends what came before it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claudiad.clock import JumpClock
from claudiad.errors import RobotError
from claudiad.robot import dispatcher as module
from claudiad.robot.base import Outcome, Robot, Status
from claudiad.robot.dispatcher import Dispatcher, StepResult
from claudiad.robot.safety import Policy
from claudiad.robot.sim import SimRobot
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Action, Posture, RobotState
from tests.robot.fakes import ScriptedRobot, act

Setup = Callable[..., tuple[Dispatcher, StopLane]]


@pytest.fixture
def clock() -> JumpClock:
    return JumpClock()


@pytest.fixture
def setup(clock: JumpClock) -> Iterator[Setup]:
    lanes: list[StopLane] = []

    def make(robot: Robot, path: Path | None = None, **policy: Any) -> tuple[Dispatcher, StopLane]:
        lane = StopLane(robot, clock, path, retry_s=0.0)
        lane.start()
        lanes.append(lane)
        return Dispatcher(robot, lane, Policy(**policy), clock), lane

    yield make
    for lane in lanes:
        lane.close()


def names(robot: SimRobot) -> list[str]:
    """What reached the wire, repeated velocities counted once."""
    calls = [call.name for call in robot.calls]
    return [name for i, name in enumerate(calls) if i == 0 or calls[i - 1] != name]


def statuses(results: list[StepResult]) -> list[tuple[str, Status]]:
    return [(result.action.name, result.status) for result in results]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_sequence_runs_in_order_each_after_the_former_is_done(clock: JumpClock, setup: Setup) -> None:
    """Steps go out one by one on completion; who asked is told of each as it goes out."""
    robot = SimRobot(clock, Posture.LYING)
    dispatcher, _ = setup(robot)
    told: list[tuple[str, float, str | None]] = []
    results = await dispatcher.run(
        [act("Hello"), act("move", x=0.5), act("Sit")],
        on_dispatch=lambda step, at: told.append((step.name, at, robot.state().running)),
    )
    assert statuses(results) == [(name, Status.DONE) for name in ("StandUp", "Hello", "move", "Sit")]
    assert results[0].action.inserted
    assert names(robot) == ["StandUp", "Hello", "move", "stop", "Sit"]
    assert [(name, running) for name, _, running in told] == [(r.action.name, None) for r in results]
    assert [at for _, at, _ in told] == [r.dispatched_at for r in results]
    for former, latter in itertools.pairwise(results):
        assert former.ended_at is not None
        assert latter.dispatched_at is not None
        assert former.ended_at <= latter.dispatched_at
    assert dispatcher.running is None


async def test_refused_steps_are_results_too(clock: JumpClock, setup: Setup) -> None:
    """What safety refuses never reaches the robot and is reported with its reason."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot)
    results = await dispatcher.run([act("FrontFlip"), act("Hello")])
    assert statuses(results) == [("Hello", Status.DONE), ("FrontFlip", Status.REFUSED)]
    assert results[1].outcome.text == "宙返りは危ないので、許可されていません。"
    assert results[1].dispatched_at is None
    assert names(robot) == ["Hello"]


async def test_a_stop_in_mid_sequence_ends_it(clock: JumpClock, setup: Setup) -> None:
    """After a stop nothing but the stop is sent, and the results say what was not done."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot)
    task = asyncio.create_task(dispatcher.run([act("Dance1"), act("Hello"), act("Sit")]))
    await clock.sleep(2.0)
    assert dispatcher.running == "Dance1"
    report = await dispatcher.stop("test")
    assert report.acknowledged
    assert robot.state().running is None
    results = await task
    assert statuses(results) == [(name, Status.INTERRUPTED) for name in ("Dance1", "Hello", "Sit")]
    assert names(robot) == ["Dance1", "stop"]
    assert statuses(await dispatcher.run([act("Sit")])) == [("Sit", Status.DONE)]


async def test_a_stop_through_the_lane_alone_ends_the_sequence(clock: JumpClock, setup: Setup) -> None:
    """A stop that does not come through the dispatcher ends the sequence just the same."""
    robot = SimRobot(clock)
    dispatcher, lane = setup(robot)
    task = asyncio.create_task(dispatcher.run([act("move", x=3.0), act("Hello")]))
    await clock.sleep(1.0)
    await asyncio.to_thread(lane.request("elsewhere").result, 10.0)
    sent = len(robot.calls)
    assert statuses(await task) == [("move", Status.INTERRUPTED), ("Hello", Status.INTERRUPTED)]
    assert {call.name for call in robot.calls[sent:]} <= {"stop"}


async def test_a_stop_ends_what_waits_as_well(clock: JumpClock, setup: Setup) -> None:
    """A sequence that waits its turn when the stop comes is never begun."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot)
    first = asyncio.create_task(dispatcher.run([act("Dance1")]))
    await clock.sleep(1.0)
    second = asyncio.create_task(dispatcher.run([act("Hello")]))
    await settle()
    await dispatcher.stop("test")
    assert statuses(await first) == [("Dance1", Status.INTERRUPTED)]
    never_sent = await second
    assert statuses(never_sent) == [("Hello", Status.INTERRUPTED)]
    assert never_sent[0].dispatched_at is None
    assert names(robot) == ["Dance1", "stop"]


async def test_a_second_sequence_waits_for_the_first(clock: JumpClock, setup: Setup) -> None:
    """Two callers do not mix their motions, and a crowd is turned away with words."""
    robot = ScriptedRobot()
    robot.hold = asyncio.Event()
    dispatcher, _ = setup(robot)
    tasks = [asyncio.create_task(dispatcher.run([act("Hello"), act("Heart")])) for _ in range(7)]
    await settle()
    assert robot.log == ["Hello"]
    robot.hold.set()
    results = [await task for task in tasks]
    assert robot.log == ["Hello", "Heart"] * 5
    refused = [r for result in results for r in result if r.status is Status.REFUSED]
    assert {r.outcome.text for r in refused} == {module.QUEUE_FULL}
    assert len(refused) == 4


async def test_a_stop_as_an_action_does_not_wait_its_turn(clock: JumpClock, setup: Setup) -> None:
    """The action `stop` goes through the lane while another sequence is under way, and ends it."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot)
    told: list[tuple[Action, float]] = []
    task = asyncio.create_task(dispatcher.run([act("Dance1"), act("Sit")]))
    await clock.sleep(1.0)
    results = await dispatcher.run([act("stop")], on_dispatch=lambda step, at: told.append((step, at)))
    assert statuses(results) == [("stop", Status.DONE)]
    assert [step.api_id for step, _ in told] == [1003]
    assert told[0][1] == next(call.t for call in robot.calls if call.name == "stop")
    await task
    assert names(robot) == ["Dance1", "stop"]


async def test_a_stop_inside_a_sequence_is_sent_at_its_place(clock: JumpClock, setup: Setup) -> None:
    """What comes before it is done, what follows is refused."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot)
    results = await dispatcher.run([act("Sit"), act("stop"), act("Hello")])
    assert statuses(results) == [("Sit", Status.DONE), ("stop", Status.DONE), ("Hello", Status.REFUSED)]
    assert names(robot) == ["Sit", "stop"]


async def test_nothing_moves_while_the_stop_holds(clock: JumpClock, setup: Setup, tmp_path: Path) -> None:
    """Latched, everything but a stop is refused with the way out, across a restart, until it is released."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot, tmp_path / "latch")
    await dispatcher.stop("緊急停止", latch=True)
    assert statuses(await dispatcher.run([act("Sit")])) == [("Sit", Status.REFUSED)]
    restarted, lane = setup(robot, tmp_path / "latch")
    for _ in range(2):
        results = await restarted.run([act("Hello"), act("stop"), act("Sit")])
        assert statuses(results[:1])[0] == ("stop", Status.DONE)
        assert "解除" in results[1].outcome.text
    assert {call.name for call in robot.calls} == {"stop"}
    lane.reset()
    assert {call.name for call in robot.calls} == {"stop"}
    assert statuses(await restarted.run([act("Sit")])) == [("Sit", Status.DONE)]


async def test_nothing_moves_until_a_stop_is_acknowledged(clock: JumpClock, setup: Setup) -> None:
    """While the robot has not confirmed a stop a new motion is not begun; then it is."""
    robot = ScriptedRobot(False)
    dispatcher, lane = setup(robot)
    report = await dispatcher.stop("test")
    assert not report.acknowledged
    results = await dispatcher.run([act("Sit")])
    assert statuses(results) == [("Sit", Status.REFUSED)]
    assert results[0].outcome.text == module.UNCONFIRMED
    robot._answers = [True]
    assert (await dispatcher.stop("again")).acknowledged
    assert not lane.unconfirmed
    assert statuses(await dispatcher.run([act("Sit")])) == [("Sit", Status.DONE)]


async def test_a_command_right_behind_a_stop_waits_for_it(clock: JumpClock, setup: Setup) -> None:
    """A new command while the stop is on its way is done after it, not refused and not before."""
    robot = ScriptedRobot()
    robot.stop_gate.clear()
    dispatcher, lane = setup(robot)
    lane.request("test")
    task = asyncio.create_task(dispatcher.run([act("Sit")]))
    await asyncio.to_thread(robot.stopped.wait, 10.0)
    await settle()
    assert robot.log == ["stop"]
    robot.stop_gate.set()
    assert statuses(await task) == [("Sit", Status.DONE)]
    assert robot.log == ["stop", "Sit"]


async def test_the_state_is_looked_at_before_each_step(clock: JumpClock, setup: Setup) -> None:
    """A battery that falls, or a posture that is not what the plan assumed, ends the sequence."""
    robot = ScriptedRobot()
    dispatcher, _ = setup(robot)

    def change(step: Action, at: float) -> None:
        robot.reported = RobotState(Posture.STANDING, 15)

    results = await dispatcher.run([act("Hello"), act("Dance1"), act("Sit")], on_dispatch=change)
    assert statuses(results) == [("Hello", Status.DONE), ("Dance1", Status.REFUSED), ("Sit", Status.INTERRUPTED)]
    assert robot.log == ["Hello"]


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.REFUSED, Status.UNREACHABLE])
async def test_a_step_that_is_not_done_ends_the_sequence(clock: JumpClock, setup: Setup, status: Status) -> None:
    """Whatever the robot answers but done, the rest is never sent."""
    robot = ScriptedRobot()
    robot.outcome = Outcome(status, "だめでした。")
    dispatcher, _ = setup(robot)
    results = await dispatcher.run([act("Hello"), act("Sit")])
    assert statuses(results) == [("Hello", status), ("Sit", Status.INTERRUPTED)]
    assert robot.log == ["Hello"]


async def test_state_that_grows_old_stops_the_motion(clock: JumpClock, setup: Setup) -> None:
    """When the robot falls silent during a motion it is stopped and the person is told."""
    robot = ScriptedRobot()
    robot.hold = asyncio.Event()
    dispatcher, _ = setup(robot)
    loop, hold = asyncio.get_running_loop(), robot.hold

    def release() -> None:
        loop.call_soon_threadsafe(hold.set)

    robot.on_stop = release
    task = asyncio.create_task(dispatcher.run([act("Dance1"), act("Sit")]))
    await settle()
    robot.reported = RobotState(Posture.STANDING, 100, age_ms=501.0)
    results = await task
    assert statuses(results) == [("Dance1", Status.UNKNOWN), ("Sit", Status.INTERRUPTED)]
    assert results[0].outcome.text == module.STALE
    assert robot.log == ["Dance1", "stop"]


async def test_cancelling_a_run_stops_the_robot(clock: JumpClock, setup: Setup) -> None:
    """A cancelled turn leaves nothing moving, and the next one can begin at once."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot)
    task = asyncio.create_task(dispatcher.run([act("Dance1"), act("Sit")]))
    await clock.sleep(1.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert robot.state().running is None
    assert names(robot) == ["Dance1", "stop"]
    assert dispatcher.running is None
    assert statuses(await dispatcher.run([act("Hello")])) == [("Hello", Status.DONE)]


async def test_cancelling_a_run_ends_an_engine_that_hangs(clock: JumpClock, setup: Setup) -> None:
    """An engine that does not look at its permit is cancelled too, so that nothing is left behind."""
    robot = ScriptedRobot()
    robot.hold = asyncio.Event()
    dispatcher, _ = setup(robot)
    task = asyncio.create_task(dispatcher.run([act("Dance1")]))
    await settle()
    task.cancel()
    for _ in range(100):
        await asyncio.to_thread(robot.stopped.wait, 10.0)
        await settle()
        if task.done():
            break
    assert task.cancelled()
    assert robot.log == ["Dance1", "stop"]


async def test_cancelling_a_run_that_waits_stops_nothing(clock: JumpClock, setup: Setup) -> None:
    """A turn that had not begun takes nothing down with it."""
    robot = SimRobot(clock)
    dispatcher, _ = setup(robot)
    first = asyncio.create_task(dispatcher.run([act("Hello")]))
    await clock.sleep(0.5)
    second = asyncio.create_task(dispatcher.run([act("Sit")]))
    await settle()
    second.cancel()
    assert statuses(await first) == [("Hello", Status.DONE)]
    assert second.cancelled()
    assert names(robot) == ["Hello"]


async def test_an_engine_that_cannot_reach_the_robot(clock: JumpClock, setup: Setup) -> None:
    """A RobotError is an outcome with words, and the robot is told to stop in case it did hear."""
    robot = ScriptedRobot()
    robot.outcome = RobotError("no reply")
    dispatcher, _ = setup(robot)
    results = await dispatcher.run([act("Hello"), act("Sit")])
    assert statuses(results) == [("Hello", Status.UNREACHABLE), ("Sit", Status.INTERRUPTED)]
    assert robot.log == ["Hello", "stop"]


async def test_an_engine_with_a_bug_stops_the_robot_and_is_not_hidden(clock: JumpClock, setup: Setup) -> None:
    """Any other exception reaches the caller, after the stop."""
    robot = ScriptedRobot()
    robot.outcome = ZeroDivisionError()
    dispatcher, _ = setup(robot)
    with pytest.raises(ZeroDivisionError):
        await dispatcher.run([act("Hello")])
    assert robot.log == ["Hello", "stop"]
    robot.outcome = Outcome(Status.DONE)
    assert statuses(await dispatcher.run([act("Sit")])) == [("Sit", Status.DONE)]


async def test_another_policy_for_one_call(clock: JumpClock, setup: Setup) -> None:
    """A call may be judged more strictly than the rest, in the plan and before each step."""
    robot = SimRobot(clock, Posture.LYING)
    dispatcher, _ = setup(robot)
    strict = Policy(allow_damp=False)
    assert dispatcher.plan([act("Damp")], strict).steps == ()
    assert statuses(await dispatcher.run([act("Damp")], policy=strict)) == [("Damp", Status.REFUSED)]
    assert statuses(await dispatcher.run([act("Damp")])) == [("Damp", Status.DONE)]
    assert robot.body.falls == 0


def test_what_it_says_has_no_stop_word() -> None:
    """The robot does not stop itself by explaining why it does not move."""
    for said in (module.LATCHED, module.UNCONFIRMED, module.QUEUE_FULL, module.STALE, module.UNREACHABLE):
        assert said.endswith("。")
        for word in ("停止", "止ま", "止め", "ストップ", "待て", "やめ", "動くな", "動かないで"):
            assert word not in said


async def test_a_stop_by_another_program_ends_the_sequence(clock: JumpClock, setup: Setup) -> None:
    """It came between two steps: the next is never sent, and a new command is a new beginning."""
    robot = ScriptedRobot()
    dispatcher, _ = setup(robot)

    def stopped(_action: Action, _at: float) -> None:
        robot.stops_elsewhere += 1

    results = await dispatcher.run([act("Hello"), act("Sit")], on_dispatch=stopped)
    assert statuses(results) == [("Hello", Status.INTERRUPTED), ("Sit", Status.INTERRUPTED)]
    assert "Sit" not in robot.log
    assert statuses(await dispatcher.run([act("Sit")])) == [("Sit", Status.DONE)]


async def test_what_was_not_seen_to_end_is_remembered_until_a_stop(clock: JumpClock, setup: Setup) -> None:
    """Whoever shuts down has to know: a dance nobody saw the end of may still go on."""
    robot = ScriptedRobot()
    dispatcher, _ = setup(robot)
    await dispatcher.run([act("Hello")])
    assert not dispatcher.unsettled
    robot.outcome = Outcome(Status.UNKNOWN, "分かりません。")
    await dispatcher.run([act("Dance1")])
    assert dispatcher.unsettled
    await dispatcher.stop("test")
    assert not dispatcher.unsettled
