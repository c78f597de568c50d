"""The body of the simulated Go2."""

from __future__ import annotations

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.robot import registry
from claudiad.robot.actions_doc import shows
from claudiad.robot.simulator import BAD_PARAMETER, BAD_POSTURE, NOT_IMPLEMENTED, NOT_SENT, OK, Call, Go2Body
from claudiad.types import Posture
from tests.robot.fakes import HandClock

TABLE = registry.load()
STOP, MOVE, STAND, SIT, HELLO, DANCE, DAMP = 1003, 1008, 1004, 1009, 1016, 1022, 1001


def body(clock: HandClock, posture: Posture = Posture.STANDING, **more: float) -> Go2Body:
    return Go2Body(clock.now, posture=posture, **more)  # type: ignore[arg-type]


def test_a_posture_takes_its_time() -> None:
    """Until a transition is over the robot is in the posture it came from."""
    clock = HandClock()
    dog = body(clock)
    assert dog.call(SIT, {}) == OK
    clock.t = 1.49
    assert (dog.state().posture, dog.state().running) == (Posture.STANDING, "Sit")
    clock.t = 1.51
    assert (dog.state().posture, dog.state().running) == (Posture.SITTING, None)


def test_a_posture_already_held_is_confirmed_quickly() -> None:
    """Standing up when standing does not take a second and a half."""
    clock = HandClock()
    dog = body(clock)
    assert dog.call(STAND, {}) == OK
    clock.t = 0.25
    assert dog.state().running is None


@pytest.mark.parametrize(("at", "posture"), [(0.5, Posture.STANDING), (1.0, Posture.SITTING)])
def test_stop_ends_an_action_at_once(at: float, posture: Posture) -> None:
    """A stop in mid-transition leaves the robot in the nearer posture, with nothing running."""
    clock = HandClock()
    dog = body(clock)
    dog.call(SIT, {})
    clock.t = at
    assert dog.call(STOP, {}) == OK
    assert (dog.state().posture, dog.state().running) == (posture, None)
    clock.t = 100.0
    assert dog.state().posture is posture


def test_what_does_not_fit_is_rejected_with_the_robots_codes() -> None:
    """Wrong posture, an action while another runs, an unknown id, and a parameter that is no number."""
    clock = HandClock()
    dog = body(clock, Posture.LYING)
    assert dog.call(DANCE, {}) == BAD_POSTURE
    assert dog.call(STAND, {}) == OK
    assert dog.call(HELLO, {}) == BAD_POSTURE
    clock.t = 2.0
    assert dog.call(DANCE, {}) == OK
    assert dog.call(HELLO, {}) == BAD_POSTURE
    assert dog.call(4711, {}) == NOT_IMPLEMENTED
    assert dog.call(MOVE, {"x": math.nan}) == BAD_PARAMETER


@pytest.mark.parametrize("posture", [Posture.SITTING, Posture.LYING, Posture.DAMPED])
def test_move_is_ignored_unless_standing(posture: Posture) -> None:
    """A Move that cannot be followed is answered 0 and moves nothing."""
    clock = HandClock()
    dog = body(clock, posture)
    assert dog.call(MOVE, {"x": 0.4}) == OK
    clock.t = 1.0
    assert (dog.state().x, dog.state().running) == (0.0, None)


def test_move_is_held_for_a_second() -> None:
    """A velocity that is not refreshed ends by itself."""
    clock = HandClock()
    dog = body(clock)
    dog.call(MOVE, {"x": 0.4, "y": 0.0, "z": 0.0})
    clock.t = 0.5
    assert dog.state().x == pytest.approx(0.2)
    assert dog.state().running == "move"
    clock.t = 7.0
    assert dog.state().x == pytest.approx(0.4)
    assert dog.state().running is None


@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.floats(-0.8, 0.8), st.integers(1, 20))
def test_odometry_does_not_depend_on_how_often_somebody_looks(vx: float, vy: float, turn: float, looks: int) -> None:
    """Looking at the state does not change where the robot gets."""
    ends = []
    for count in (1, looks):
        clock = HandClock()
        dog = body(clock)
        dog.call(MOVE, {"x": vx, "y": vy, "z": turn})
        for number in range(1, count + 1):
            clock.t = 0.9 * number / count
            seen = dog.state()
        ends.append((seen.x, seen.y, seen.yaw))
    assert ends[0] == pytest.approx(ends[1], abs=1e-6)


def test_odometry_is_metres_and_radians_x_forward_y_left() -> None:
    """A quarter turn to the left and forward ends on the left of the start."""
    clock = HandClock()
    dog = body(clock)
    dog.call(MOVE, {"z": math.pi / 2})
    clock.t = 1.0
    dog.call(MOVE, {"x": 0.3})
    clock.t = 2.0
    seen = dog.state()
    assert (seen.x, seen.y, seen.yaw) == pytest.approx((0.0, 0.3, math.pi / 2), abs=1e-9)


def test_slip_loses_its_part() -> None:
    """With slip 0.1 a tenth of the way is lost."""
    clock = HandClock()
    dog = body(clock, slip=0.1)
    dog.call(MOVE, {"x": 0.4})
    clock.t = 1.0
    assert dog.state().x == pytest.approx(0.36)


def test_damp_drops_a_standing_robot() -> None:
    """The body obeys: damped on its feet it falls, lying it does not."""
    clock = HandClock()
    dog = body(clock)
    dog.call(DAMP, {})
    clock.t = 2.0
    assert (dog.state().posture, dog.falls) == (Posture.DAMPED, 1)
    lying = body(clock, Posture.LYING)
    lying.call(DAMP, {})
    clock.t = 4.0
    assert (lying.state().posture, lying.falls) == (Posture.DAMPED, 0)


def test_the_battery_drains_faster_under_way_and_not_below_zero() -> None:
    """An hour of standing costs less than an hour and a half of anything, and empty is empty."""
    clock = HandClock()
    idle = body(clock, battery=50)
    clock.t = 3600.0
    assert 20 < idle.state().battery < 30
    clock.t = 36_000.0
    assert idle.state().battery == 0


def test_every_call_is_logged_with_its_time() -> None:
    """The log has each call in order, also the rejected ones, and the observer sees the same."""
    clock = HandClock()
    seen: list[Call] = []
    dog = Go2Body(clock.now, on_call=seen.append)
    dog.call(HELLO, {})
    clock.t = 1.0
    dog.call(SIT, {})
    dog.call(4711, {"a": 1})
    assert [(c.t, c.api_id, c.name, c.params) for c in dog.calls] == [
        (0.0, 1016, "Hello", {}),
        (1.0, 1009, "Sit", {}),
        (1.0, 4711, "4711", {"a": 1}),
    ]
    assert seen == dog.calls


def test_a_call_without_permit_is_not_made() -> None:
    """A call whose permit is gone leaves no trace."""
    dog = body(HandClock())
    assert dog.call(HELLO, {}, lambda: False) == NOT_SENT
    assert dog.calls == []
    assert dog.state().running is None


def test_time_that_goes_back_is_not_followed() -> None:
    """A clock that jumps back neither undoes nor repeats movement."""
    clock = HandClock(10.0)
    dog = body(clock)
    dog.call(MOVE, {"x": 0.4})
    clock.t = 10.5
    before = dog.state().x
    clock.t = 3.0
    assert dog.state().x == before


def test_calls_from_many_threads_are_all_logged() -> None:
    """Threads that call at once lose no call and bring none out of order with its permit."""
    dog = body(HandClock())
    gone = threading.Event()

    def caller() -> None:
        for _ in range(50):
            dog.call(MOVE, {"x": 0.1}, lambda: not gone.is_set())

    threads = [threading.Thread(target=caller) for _ in range(4)]
    for thread in threads:
        thread.start()
    gone.set()
    dog.call(STOP, {})
    for thread in threads:
        thread.join()
    assert dog.calls[-1].api_id == STOP


def test_every_action_of_the_table_completes_from_a_posture_it_needs() -> None:
    """Each row can be executed: it runs, ends, and leaves the posture the table says."""
    for spec in (each for each in TABLE.values() if each.service == "sport"):
        for posture in spec.needs:
            clock = HandClock()
            dog = body(clock, posture)
            assert dog.call(spec.api_id, {}) == OK, spec.name
            clock.t = spec.duration_s + 1e-3
            expected = spec.gives or posture
            assert (dog.state().posture, dog.state().running) == (expected, None), spec.name


def machine_of(dog: Go2Body) -> int:
    return dog.report().machine


def test_the_state_machine_says_what_it_does() -> None:
    """Each posture and each kind of action has the number current firmware gives it, and the old mode beside it."""
    clock = HandClock()
    dog = body(clock)
    assert (machine_of(dog), dog.report().mode) == (1013, 1)
    dog.call(HELLO, {})
    assert (machine_of(dog), dog.report().mode) == (1006, 2)
    clock.t = 3.1
    assert machine_of(dog) == 1013
    dog.call(MOVE, {"x": 0.3})
    assert (machine_of(dog), dog.report().mode) == (1015, 3)
    clock.t = 5.0
    dog.call(SIT, {})
    clock.t = 6.6
    assert (machine_of(dog), dog.report().mode) == (1007, 10)
    dog.call(TABLE["StandDown"].api_id, {})
    clock.t = 8.2
    assert (machine_of(dog), dog.report().mode) == (2006, 5)
    dog.call(TABLE["RecoveryStand"].api_id, {})
    assert dog.report().mode == 8
    clock.t = 11.3
    assert machine_of(dog) == 1013
    dog.call(DAMP, {})
    assert machine_of(dog) == 1001
    clock.t = 12.4
    assert (machine_of(dog), dog.report().mode) == (1001, 7)


@pytest.mark.parametrize(
    ("name", "machine", "mode"),
    [
        ("FrontJump", 1008, 12),
        ("FrontPounce", 1009, 13),
        ("BackFlip", 1008, 11),
        ("Dance2", 1006, 2),
        ("Euler", 1013, 1),
    ],
)
def test_the_number_while_it_runs(name: str, machine: int, mode: int) -> None:
    """Tricks, jumps and pounces show as such while they run; leaning the body shows as balancing."""
    dog = body(HandClock())
    assert dog.call(TABLE[name].api_id, {}) == OK
    assert (dog.report().machine, dog.report().mode) == (machine, mode)


def test_every_action_that_ends_by_leaving_a_state_has_taken_up_another() -> None:
    """docs/actions.md takes leaving 1006, 1008 or 1009 for completion: those actions show it while they run."""
    for spec in (each for each in TABLE.values() if each.service == "sport"):
        dog = body(HandClock())
        dog.call(spec.api_id, {})
        busy = dog.report().machine in (1006, 1008, 1009)
        assert busy == ("state machine leaves" in shows(spec)), spec.name


def test_a_gait_shows_when_it_walks() -> None:
    """After TrotRun it runs: 1016 while it moves, balance while it stands."""
    clock = HandClock()
    dog = body(clock)
    dog.call(TABLE["TrotRun"].api_id, {})
    clock.t = 1.1
    assert machine_of(dog) == 1013
    dog.call(MOVE, {"x": 0.3})
    assert machine_of(dog) == 1016


def test_stand_up_locks_the_joints() -> None:
    """While they are locked a Move is answered 0 and ignored; after the time the robot can walk."""
    clock = HandClock()
    dog = body(clock, Posture.LYING, unlock_s=6.0)
    dog.call(STAND, {})
    clock.t = 2.0
    assert (machine_of(dog), dog.report().mode) == (1002, 6)
    assert dog.call(MOVE, {"x": 0.4}) == OK
    clock.t = 3.0
    assert dog.state().x == 0.0
    clock.t = 7.4
    assert machine_of(dog) == 1002
    clock.t = 7.6
    assert machine_of(dog) == 1013
    dog.call(MOVE, {"x": 0.4})
    clock.t = 8.6
    assert dog.state().x == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("name", "after"), [("BalanceStand", 1013), ("Hello", 1013), ("SpeedLevel", 1002), ("Euler", 1002)]
)
def test_balancing_unlocks_the_joints(name: str, after: int) -> None:
    """BalanceStand unlocks at once, and so does a trick; a setting does not."""
    clock = HandClock()
    dog = body(clock, unlock_s=60.0)
    dog.call(STAND, {})
    clock.t = 1.0
    dog.call(TABLE[name].api_id, {})
    clock.t = 5.0
    assert machine_of(dog) == after


def test_without_the_option_nothing_is_locked() -> None:
    """The simulator in the process walks right after standing up."""
    clock = HandClock()
    dog = body(clock, Posture.LYING)
    dog.call(STAND, {})
    clock.t = 1.6
    assert machine_of(dog) == 1013
    dog.call(MOVE, {"x": 0.4})
    clock.t = 2.6
    assert dog.state().x == pytest.approx(0.4)


def test_drift_is_in_odometry_and_not_in_truth() -> None:
    """With drift 0.1 odometry counts a tenth more than was walked; slip is lost to both."""
    clock = HandClock()
    dog = body(clock, slip=0.5, drift=0.1)
    dog.call(MOVE, {"x": 0.4, "z": 0.0})
    clock.t = 1.0
    assert dog.pose == pytest.approx((0.2, 0.0, 0.0))
    assert (dog.state().x, dog.state().y) == pytest.approx((0.22, 0.0))


def test_noise_is_seeded_and_leaves_the_truth_alone() -> None:
    """The same seed gives the same readings, another one others, and none moves the robot."""

    def readings(seed: int) -> list[float]:
        dog = body(HandClock(), noise=0.01, seed=seed)
        seen = [dog.state() for _ in range(200)]
        assert dog.pose == (0.0, 0.0, 0.0)
        return [value for state in seen for value in (state.x, state.y, state.yaw)]

    first = readings(1)
    assert first == readings(1)
    assert first != readings(2)
    assert 0.008 < math.sqrt(sum(value**2 for value in first) / len(first)) < 0.012


def test_velocity_is_what_it_does_in_its_own_frame() -> None:
    """Whatever it is turned to, forward is vx; what slips is not in it."""
    clock = HandClock()
    dog = body(clock, slip=0.5)
    dog.call(MOVE, {"z": 1.0})
    clock.t = 1.0
    dog.call(MOVE, {"x": 0.4, "y": -0.2, "z": 0.6})
    seen = dog.report()
    assert (seen.vx, seen.vy, seen.yaw_speed) == pytest.approx((0.2, -0.1, 0.3))
    clock.t = 3.0
    seen = dog.report()
    assert (seen.vx, seen.vy, seen.yaw_speed) == (0.0, 0.0, 0.0)


def test_the_body_sinks_with_the_posture() -> None:
    """Half-way from standing to lying it is half as high over the ground."""
    clock = HandClock()
    dog = body(clock)
    high = dog.report().height
    dog.call(TABLE["StandDown"].api_id, {})
    clock.t = 0.75
    half, progress = dog.report().height, dog.report().progress
    clock.t = 2.0
    assert progress == pytest.approx(0.5)
    assert half == pytest.approx((high + dog.report().height) / 2)
    assert dog.report().height < 0.1
    assert high > 0.3


def test_who_waits_for_the_end_is_told() -> None:
    """`ended` hears of completion, of a stop, and of a Damp that takes the action's place; of nothing refused."""
    clock = HandClock()
    dog = body(clock)
    heard: list[tuple[str, bool]] = []
    dog.call(HELLO, {}, ended=lambda done: heard.append(("hello", done)))
    assert dog.call(DANCE, {}, ended=lambda done: heard.append(("refused", done))) == BAD_POSTURE
    clock.t = 3.1
    dog.state()
    assert heard == [("hello", True)]
    dog.call(DANCE, {}, ended=lambda done: heard.append(("dance", done)))
    dog.call(STOP, {}, ended=lambda done: heard.append(("stop", done)))
    dog.call(DANCE, {}, ended=lambda done: heard.append(("again", done)))
    dog.call(DAMP, {}, ended=lambda done: heard.append(("damp", done)))
    dog.call(STOP, {})
    assert heard[1:] == [("dance", False), ("again", False), ("damp", False)]


def test_a_stop_does_not_catch_a_falling_robot() -> None:
    """Once the motors are limp the robot is down, however soon a stop comes."""
    clock = HandClock()
    dog = body(clock)
    dog.call(DAMP, {})
    clock.t = 0.1
    dog.call(STOP, {})
    assert (dog.state().posture, dog.state().running, dog.falls) == (Posture.DAMPED, None, 1)


def test_a_person_with_the_remote_control() -> None:
    """What they make it do is in its state and not among the calls; a stop ends it."""
    clock = HandClock()
    dog = body(clock)
    assert dog.remote("walk")
    clock.t = 2.5
    assert dog.state().running == "move"
    assert dog.call(STOP, {}) == OK
    assert dog.state().running is None
    assert dog.state().x == pytest.approx(0.75)
    assert dog.remote("sit")
    clock.t = 4.1
    assert dog.state().posture is Posture.SITTING
    assert not dog.remote("walk")
    assert [call.name for call in dog.calls] == ["stop"]


def test_the_battery_can_be_set() -> None:
    """It drains from there on."""
    clock = HandClock()
    dog = body(clock)
    dog.set_battery(15.0)
    assert dog.state().battery == 15
    clock.t = 600.0
    assert 5 < dog.report().battery < 15


def test_newer_firmware_does_not_know_the_old_actions() -> None:
    """3203 for what was taken out, unless it is asked to be older."""
    wiggle = TABLE["WiggleHips"].api_id
    assert Go2Body(HandClock().now, legacy=False).call(wiggle, {}) == NOT_IMPLEMENTED
    assert Go2Body(HandClock().now).call(wiggle, {}) == OK
