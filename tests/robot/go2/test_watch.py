"""State with its age, in the frame it began in; and somebody else's hands on the robot."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from claudiad.robot.go2.watch import BATTERY_S, FOREIGN_S, GAP_S, GRACE_S, Watch
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
    for part in range(11):
        hand.report(x=5.0, y=2.0 + part / 10, yaw=math.pi / 2 * (1 + part / 10))
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
    hand.now += 0.02
    hand.report(**report)
    assert hand.watch.foreign
    hand.now += FOREIGN_S + 0.1
    assert not hand.watch.foreign


def test_a_remote_walk_runs_under_its_own_name(hand: Hand) -> None:
    """It is not an action of the table, so no ban of an action ends it by mistake."""
    hand.report(1015, v=0.4)
    assert hand.watch.state().running == "remote"


def test_a_dance_that_goes_on_after_its_stop_is_still_our_own(hand: Hand) -> None:
    """Nobody knows how long a robot takes to end one; a second dance would be somebody else's."""
    hand.report()
    hand.watch.own("Dance1")
    hand.report(1006)
    hand.watch.own(None)
    for _ in range(round(3 * GRACE_S / 0.4)):
        hand.now += 0.4
        hand.report(1006)
    assert not hand.watch.foreign
    hand.report(1013)
    hand.report(1006)
    assert hand.watch.foreign


def test_their_walk_stays_theirs_while_it_lasts(hand: Hand) -> None:
    """Also when it takes longer than the time after which a robot is free again."""
    hand.report()
    hand.now += 10
    hand.report()
    for _ in range(round(2 * FOREIGN_S / 0.4)):
        hand.now += 0.4
        hand.report(1015, v=0.4)
    assert hand.watch.foreign


def test_after_a_silence_nothing_is_concluded(hand: Hand) -> None:
    """A robot that was switched on again, or a link that was down, is nobody's."""
    hand.report(1013)
    hand.now += 10 + GAP_S
    hand.report(1007, v=0.4)
    assert not hand.watch.foreign


def test_another_programs_command_is_foreign_at_once(hand: Hand) -> None:
    """Its stop is not: it ends what is under way here. Questions about the service are neither."""

    def request(api_id: int) -> None:
        hand.watch._request(SimpleNamespace(header=SimpleNamespace(identity=SimpleNamespace(api_id=api_id))))

    hand.watch.own("move")
    request(1)
    request(1003)
    assert (hand.watch.foreign, hand.watch.stops) == (False, 1)
    request(1022)
    assert (hand.watch.foreign, hand.watch.stops) == (True, 1)


@pytest.mark.parametrize(
    ("sticks", "foreign"), [((0, 0.0), False), ((0, 0.05), False), ((0, -0.6), True), ((4, 0.0), True)]
)
def test_the_remote_controls_sticks_and_keys_are_foreign(sticks: tuple[int, float], foreign: bool, hand: Hand) -> None:
    """Beyond what a stick has at rest."""
    keys, ly = sticks
    hand.watch._sticks(SimpleNamespace(keys=keys, lx=0.0, ly=ly, rx=0.0, ry=0.0))
    assert hand.watch.foreign is foreign


def test_a_robot_that_counts_anew_begins_a_new_frame(hand: Hand) -> None:
    """A reboot sets odometry to zero: what was measured before is worth nothing."""
    hand.report(x=5.0, y=2.0)
    hand.report(x=5.3, y=2.0)
    assert (hand.watch.state().x, hand.watch.jumps) == (pytest.approx(0.3), 0)
    hand.report(x=0.0, y=0.0)
    assert (hand.watch.state().x, hand.watch.jumps) == (0.0, 1)


def test_a_report_without_numbers_keeps_the_last_pose(hand: Hand) -> None:
    """And the posture is unknown."""
    hand.report(x=1.0)
    hand.report(x=1.2)
    hand.report(x=math.nan)
    state = hand.watch.state()
    assert (state.x, state.posture, hand.watch.jumps) == (pytest.approx(0.2), Posture.UNKNOWN, 0)


@pytest.mark.parametrize(("soc", "known"), [(57, 57), (0, 0), (100, 100), (255, -1)])
def test_a_charge_is_a_percentage_and_gets_old(soc: int, known: int, hand: Hand) -> None:
    """255 is no charge, and neither is one of ten seconds ago."""
    hand.report()
    hand.watch._low(SimpleNamespace(bms_state=SimpleNamespace(soc=soc)))
    assert hand.watch.state().battery == known
    hand.now += BATTERY_S + 0.1
    assert hand.watch.state().battery == -1


def test_a_walk_that_begins_soon_after_our_own_is_theirs_when_it_lasts(hand: Hand) -> None:
    """A robot that settles is still after two seconds."""
    hand.report()
    hand.watch.own("Hello")
    hand.report(1006)
    hand.report()
    hand.watch.own(None)
    for _ in range(round(1.5 * GRACE_S / 0.4)):
        assert not hand.watch.foreign
        hand.now += 0.4
        hand.report(1015, v=0.4)
        if hand.watch.foreign:
            break
    assert hand.watch.foreign
