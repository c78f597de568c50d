"""State with its age, in the frame it began in; and somebody else's hands on the robot."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from claudiad.robot.go2.watch import FOREIGN_S, GRACE_S, Watch
from claudiad.types import Posture


class Hand:
    """A clock that is moved by hand, and messages as the robot sends them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.watch = Watch(lambda: self.now)

    def report(self, code: int = 1013, x: float = 0.0, y: float = 0.0, yaw: float = 0.0, v: float = 0.0) -> None:
        message: Any = SimpleNamespace(
            error_code=code, mode=0, body_height=0.32, position=[x, y, 0.3], velocity=[v, 0.0, 0.0], yaw_speed=0.0,
            imu_state=SimpleNamespace(rpy=[0.0, 0.0, yaw]),
        )  # fmt: skip
        self.watch._sport(message)


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_before_the_first_report_nothing_is_known(hand: Hand) -> None:
    """An age without end, an unknown posture and battery: nothing starts on that."""
    state = hand.watch.state()
    assert state.posture is Posture.UNKNOWN
    assert state.age_ms == math.inf
    assert state.battery == -1


def test_the_age_grows_until_the_next_report(hand: Hand) -> None:
    """Milliseconds since it reported, on the injected clock."""
    hand.report()
    hand.now += 0.7
    assert hand.watch.state().age_ms == pytest.approx(700)
    hand.report()
    assert hand.watch.state().age_ms == 0


def test_odometry_begins_where_the_robot_was_first_seen(hand: Hand) -> None:
    """x forward, y left of that pose."""
    hand.report(x=5.0, y=2.0, yaw=math.pi / 2)
    hand.report(x=5.0, y=3.0, yaw=math.pi)
    state = hand.watch.state()
    assert (state.x, state.y, state.yaw) == pytest.approx((1.0, 0.0, math.pi / 2))


def test_a_gesture_leaves_the_posture_and_is_counted_once(hand: Hand) -> None:
    """1006 for as long as it lasts."""
    hand.watch.own("Hello")
    hand.report(1007)
    for _ in range(3):
        hand.report(1006)
        assert hand.watch.state().posture is Posture.SITTING
    hand.report(1007)
    assert hand.watch.busy_count == 1


def test_what_is_commanded_here_is_not_foreign(hand: Hand) -> None:
    """Nor is what the robot still does right after it."""
    hand.report()
    hand.watch.own("move")
    hand.report(1015, v=0.4)
    assert hand.watch.state().running == "move"
    hand.watch.own(None)
    hand.now += GRACE_S - 0.1
    hand.report(1015, v=0.2)
    assert not hand.watch.foreign


@pytest.mark.parametrize("report", [{"code": 1006}, {"v": 0.4}, {"code": 1007}])
def test_what_nobody_here_asked_for_is_foreign_for_a_while(hand: Hand, report: dict[str, Any]) -> None:
    """A gesture, a walk or another posture by remote control."""
    hand.report()
    hand.now += GRACE_S + 1
    hand.report()
    assert not hand.watch.foreign
    hand.report(**report)
    assert hand.watch.foreign
    hand.now += FOREIGN_S + 0.1
    assert not hand.watch.foreign


def test_a_remote_walk_runs_under_its_own_name(hand: Hand) -> None:
    """It is not an action of the table, so no ban of an action ends it by mistake."""
    hand.report()
    hand.now += 10
    hand.report(1015, v=0.4)
    assert hand.watch.state().running == "remote"


def test_a_dance_that_goes_on_after_its_stop_is_still_our_own(hand: Hand) -> None:
    """Nobody knows how long a robot takes to end one; a second dance would be somebody else's."""
    hand.report()
    hand.watch.own("Dance1")
    hand.report(1006)
    hand.watch.own(None)
    for _ in range(5):
        hand.now += GRACE_S
        hand.report(1006)
    assert not hand.watch.foreign
    hand.report(1013)
    hand.report(1006)
    assert hand.watch.foreign


def test_their_walk_stays_theirs_while_it_lasts(hand: Hand) -> None:
    """Also when it takes longer than the time after which a robot is free again."""
    hand.report()
    hand.now += 10
    for _ in range(5):
        hand.report(1015, v=0.4)
        hand.now += FOREIGN_S - 0.1
    assert hand.watch.foreign
