"""The stop's own thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claudiad.robot.stop_lane import StopLane
from tests.robot.fakes import HandClock, ScriptedRobot

WAIT_S = 10.0
"""Longest wait for the other thread; only a broken lane needs it."""


class Lanes:
    """Starts lanes and proves at the end that their threads are gone."""

    def __init__(self) -> None:
        self._open: list[StopLane] = []

    def __call__(self, robot: ScriptedRobot, path: Path | None = None, **more: Any) -> StopLane:
        lane = StopLane(robot, more.pop("clock", HandClock()), path, retry_s=0.0, **more)
        lane.start()
        self._open.append(lane)
        return lane

    def close(self) -> None:
        for lane in self._open:
            lane.close()


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    before = threading.active_count()
    made = Lanes()
    yield made
    made.close()
    assert threading.active_count() == before


def test_a_stop_is_sent_and_reported(lanes: Lanes) -> None:
    """The report tells when it went out, that it was acknowledged, and how long that took."""
    clock = HandClock(5.0)
    robot = ScriptedRobot()
    robot.on_stop = lambda: setattr(clock, "t", clock.t + 0.004)
    lane = lanes(robot, clock=clock)
    report = lane.request("test").result(WAIT_S)
    assert (report.acknowledged, report.sent_at, report.attempts) == (True, 5.0, 1)
    assert report.elapsed_ms == pytest.approx(4.0)
    assert robot.log == ["stop"]
    assert not lane.unconfirmed
    assert lane.pending is None


def test_it_is_repeated_until_acknowledged(lanes: Lanes) -> None:
    """An answer that does not come, and an engine that raises, are tried again."""
    robot = ScriptedRobot(False, OSError("no route"), False, True)
    report = lanes(robot).request("test").result(WAIT_S)
    assert (report.acknowledged, report.attempts) == (True, 4)


def test_without_an_answer_the_report_comes_and_the_lane_goes_on(lanes: Lanes) -> None:
    """The wait for a report is bounded; the stop is repeated until the robot hears it."""
    heard = threading.Event()
    robot = ScriptedRobot(*[False] * 8, True)
    robot.on_stop = lambda: heard.set() if len(robot.log) == 8 else None
    lane = lanes(robot, max_attempts=3)
    report = lane.request("test").result(WAIT_S)
    assert (report.acknowledged, report.attempts) == (False, 3)
    assert heard.wait(WAIT_S)
    assert lane.request("again").result(WAIT_S).acknowledged
    assert robot.log.count("stop") >= 9


def test_every_request_to_a_deaf_robot_gets_its_report(lanes: Lanes) -> None:
    """A stop that was given up does not keep the next one from being sent and reported."""
    lane = lanes(ScriptedRobot(False), max_attempts=2)
    for _ in range(3):
        assert not lane.request("test").result(WAIT_S).acknowledged
    assert lane.unconfirmed


def test_the_wait_for_a_report_is_bounded_by_time(lanes: Lanes) -> None:
    """A robot that takes seconds to not answer is given up by the clock, not by the count."""
    clock = HandClock()
    robot = ScriptedRobot(False)
    robot.on_stop = lambda: setattr(clock, "t", clock.t + 1.5)
    report = lanes(robot, clock=clock, timeout_s=2.0, max_attempts=1000).request("test").result(WAIT_S)
    assert (report.acknowledged, report.attempts) == (False, 2)


def test_each_report_is_of_a_stop_sent_after_its_request(lanes: Lanes) -> None:
    """Who asks while a stop is under way gets one of their own, shared with all others who wait; no more than two."""
    robot = ScriptedRobot()
    robot.stop_gate.clear()
    lane = lanes(robot)
    first = lane.request("first")
    assert robot.stopped.wait(WAIT_S)
    later = [lane.request(f"later {number}") for number in range(100)]
    assert not first.done()
    assert all(future is later[0] for future in later)
    assert lane.unconfirmed
    assert lane.pending is later[0]
    robot.stop_gate.set()
    assert first.result(WAIT_S).acknowledged
    assert later[0].result(WAIT_S).acknowledged
    assert robot.log == ["stop", "stop"]


def test_the_generation_grows_before_anything_is_sent(lanes: Lanes) -> None:
    """What began before a request can see it is over by the time the robot is told."""
    robot = ScriptedRobot()
    lane = lanes(robot)
    seen: list[int] = []
    robot.on_stop = lambda: seen.append(lane.generation)
    before = lane.generation
    lane.request("test").result(WAIT_S)
    assert seen == [before + 1]


def test_the_latch_holds_at_once_and_is_saved_after_the_wire(lanes: Lanes, tmp_path: Path) -> None:
    """It holds before it is sent, is on disk after the wire and before the report, and holds in a new lane."""
    path = tmp_path / "latch"
    robot = ScriptedRobot()
    lane = lanes(robot, path)
    seen: list[tuple[bool, bool]] = []
    robot.on_stop = lambda: seen.append((lane.latched, path.exists()))
    lane.request("緊急停止", latch=True).result(WAIT_S)
    assert seen[0] == (True, False)
    assert path.exists()
    assert lane.latched
    again = lanes(ScriptedRobot(), path)
    assert again.latched
    again.reset()
    assert not again.latched
    assert not path.exists()


def test_a_latch_is_saved_although_nobody_answers(lanes: Lanes, tmp_path: Path) -> None:
    """A robot that never acknowledges does not keep the latch off the disk."""
    path = tmp_path / "latch"
    lane = lanes(ScriptedRobot(False), path, max_attempts=2)
    lane.request("緊急停止", latch=True).result(WAIT_S)
    assert path.exists()


def test_reset_moves_nothing(lanes: Lanes) -> None:
    """Releasing sends nothing and starts nothing."""
    robot = ScriptedRobot()
    lane = lanes(robot)
    lane.request("x", latch=True).result(WAIT_S)
    lane.reset()
    assert robot.log == ["stop"]


def test_a_lane_that_is_not_running_still_stops() -> None:
    """Before the start and after the end a request is sent on the caller's thread."""
    robot = ScriptedRobot()
    lane = StopLane(robot, HandClock())
    assert lane.request("early").result(0).acknowledged
    lane.start()
    lane.start()
    lane.close()
    lane.close()
    assert lane.request("late").result(0).acknowledged
    assert robot.log == ["stop", "stop"]


def test_close_ends_a_lane_that_nobody_answers(lanes: Lanes) -> None:
    """A stop that was never acknowledged does not keep the thread, and its waiters get their report."""
    robot = ScriptedRobot(False)
    lane = lanes(robot, max_attempts=10**9, timeout_s=1e9)
    waiting = lane.request("test")
    assert robot.stopped.wait(WAIT_S)
    lane.close()
    assert not waiting.result(WAIT_S).acknowledged
    assert not lane.unconfirmed


def test_close_gives_a_waiting_stop_its_attempt(lanes: Lanes) -> None:
    """A stop asked for before the end is on the wire before the end."""
    robot = ScriptedRobot()
    robot.stop_gate.clear()
    lane = lanes(robot)
    lane.request("first")
    assert robot.stopped.wait(WAIT_S)
    second = lane.request("second")
    closer = threading.Thread(target=lane.close)
    closer.start()
    robot.stop_gate.set()
    closer.join(WAIT_S)
    assert second.result(0).acknowledged
    assert robot.log == ["stop", "stop"]


async def test_cancelling_a_wait_does_not_take_the_stop_back(lanes: Lanes) -> None:
    """Who stops waiting for the report takes it from nobody else."""
    robot = ScriptedRobot()
    robot.stop_gate.clear()
    lane = lanes(robot)
    future = lane.request("test")
    waiter = asyncio.create_task(asyncio.wait_for(asyncio.wrap_future(future), None))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait({waiter})
    robot.stop_gate.set()
    assert (await asyncio.to_thread(future.result, WAIT_S)).acknowledged
