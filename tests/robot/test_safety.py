"""What may be done: the safety compiler."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.config import RobotSettings
from claudiad.robot import registry
from claudiad.robot.safety import Plan, Policy, check_step, compile_plan
from claudiad.types import Action, Posture, RobotState

TABLE = registry.load()
BATTERIES = (0, 1, 10, 11, 20, 21, 30, 31, 100, -1, 101)


def act(name: str, **params: Any) -> Action:
    return Action(name, TABLE[name].api_id, params)


def state(posture: Posture = Posture.STANDING, battery: int = 100, age_ms: float = 0.0) -> RobotState:
    return RobotState(posture, battery, age_ms=age_ms)


def ids(plan: Plan) -> list[int]:
    return [step.api_id for step in plan.steps]


def minimal(name: str) -> Action:
    return act(name, x=1.0) if name == "move" else act(name)


def allowed(name: str, posture: Posture, battery: int, high_risk: bool) -> list[str] | None:
    """The promises of docs/safety.md written a second time, by name: what one action becomes, or None when refused."""
    flips = {"FrontFlip", "FrontJump", "FrontPounce", "LeftFlip", "BackFlip"}
    flips |= {"HandStand", "FreeBound", "FreeJump", "WalkUpright"}
    energetic = {"Dance1", "Dance2", "TrotRun", "FreeWalk", "CrossStep"}
    any_posture = {"stop", "StandDown", "RecoveryStand"}
    if name in ("stop", "Photo"):  # neither moves anything
        return [name]
    switches = {"SwitchJoystick", "AutoRecoverySet", "AutoRecoveryGet", "SwitchAvoidMode"}
    if name in switches or (name in flips and not (high_risk and 30 < battery <= 100)):
        return None
    steps = [name]
    if posture is Posture.UNKNOWN:
        if name not in any_posture:
            return None
    elif name == "Damp":
        steps = ["Damp"] if posture in (Posture.LYING, Posture.DAMPED) else ["StandDown", "Damp"]
    elif name not in any_posture | {"StandUp", "SpeedLevel"}:
        sitting_too = {"Sit", "RiseSit", "Hello", "Content", "Scrape", "Heart"}
        fit = posture is Posture.STANDING or (posture is Posture.SITTING and name in sitting_too)
        steps = [name] if fit else ["StandUp", name]
    if not 10 < battery <= 100 and not set(steps) <= {"Sit", "StandDown"}:
        return None
    if battery <= 20 and name in energetic:
        return None
    return steps


def test_every_action_in_every_posture_at_every_battery_tier() -> None:
    """One action alone becomes exactly what the promises say, over the whole product of states."""
    for name, posture, battery, risk in itertools.product(TABLE, Posture, BATTERIES, (False, True)):
        plan = compile_plan([minimal(name)], state(posture, battery), Policy(allow_high_risk=risk))
        expected = allowed(name, posture, battery, risk)
        got = [step.name for step in plan.steps] or None
        assert got == expected, (name, posture, battery, risk)
        assert len(plan.refused) == (expected is None)
        assert [step.inserted for step in plan.steps] == [True] * (len(plan.steps) - 1) + [False] * bool(plan.steps)


def test_pairs_are_tracked_from_step_to_step() -> None:
    """In every pair from every posture, each step begins in a posture it can start from."""
    for first, second, posture in itertools.product(TABLE, TABLE, Posture):
        plan = compile_plan([minimal(first), minimal(second)], state(posture), Policy(allow_high_risk=True))
        now = posture
        for step in plan.steps:
            spec = TABLE[step.name]
            assert now in spec.needs, (first, second, posture)
            now = spec.gives or now


@pytest.mark.parametrize(
    ("names", "posture", "expected"),
    [
        (["Sit", "Hello"], Posture.STANDING, [1009, 1016]),
        (["StandUp", "Hello"], Posture.SITTING, [1004, 1016]),
        (["StandUp", "Hello"], Posture.STANDING, [1004, 1016]),
        (["Sit"], Posture.SITTING, [1009]),
        (["Hello"], Posture.LYING, [1004, 1016]),
        (["Hello"], Posture.DAMPED, [1004, 1016]),
        (["Sit", "Dance1"], Posture.STANDING, [1009, 1004, 1022]),
        (["StandDown", "Hello"], Posture.STANDING, [1005, 1004, 1016]),
        (["Damp"], Posture.STANDING, [1005, 1001]),
        (["Damp", "Hello"], Posture.LYING, [1001, 1004, 1016]),
    ],
)
def test_sequences_that_must_never_go_wrong(names: list[str], posture: Posture, expected: list[int]) -> None:
    """Needed postures are inserted, tracked through the sequence, and held ones are still listed."""
    assert ids(compile_plan([act(name) for name in names], state(posture), Policy())) == expected


def test_the_refusal_of_a_flip() -> None:
    """A dangerous action is refused in Japanese, and what does not depend on it goes on."""
    plan = compile_plan([act("FrontFlip"), act("Sit")], state(), Policy())
    assert [(r.name, r.api_id, r.reason) for r in plan.refused] == [
        ("FrontFlip", 1030, "宙返りは危ないので、許可されていません。")
    ]
    assert ids(plan) == [1009]


def test_after_a_refused_posture_the_rest_is_refused() -> None:
    """What would begin in the wrong place is not done."""
    plan = compile_plan([act("move", x=math.nan), act("Hello"), act("stop"), act("Sit")], state(), Policy())
    assert ids(plan) == [1003]
    assert [r.name for r in plan.refused] == ["move", "Hello", "Sit"]


def test_an_unregistered_step_ends_the_sequence() -> None:
    """A name or id the table does not have, or that do not belong together, is refused with what follows."""
    for wrong in (Action("fly", 1), Action("Sit", 1016), Action("Hello", 2043)):
        plan = compile_plan([act("Sit"), wrong, act("Hello")], state(), Policy())
        assert ids(plan) == [1009]
        assert [r.name for r in plan.refused] == [wrong.name, "Hello"]


def test_a_stop_ends_its_sequence() -> None:
    """Nothing that follows a stop is done."""
    plan = compile_plan([act("Hello"), act("stop"), act("Sit")], state(), Policy())
    assert ids(plan) == [1016, 1003]
    assert [r.name for r in plan.refused] == ["Sit"]


def test_a_sequence_that_is_too_long_is_refused_whole() -> None:
    """Longer than max_steps: nothing is done but a stop."""
    plan = compile_plan([act("Hello")] * 3 + [act("stop")], state(), Policy(max_steps=3))
    assert ids(plan) == [1003]
    assert {r.reason for r in plan.refused} == {"一度にできる動作は3個までです。"}
    assert len(compile_plan([act("Hello")] * 3, state(), Policy(max_steps=3)).steps) == 3


@pytest.mark.parametrize("age_ms", [500.1, math.inf, math.nan, -1.0])
def test_old_state_moves_nothing(age_ms: float) -> None:
    """State that is too old, or of an age that makes no sense, lets nothing pass but a stop."""
    for name in TABLE:
        plan = compile_plan([minimal(name)], state(age_ms=age_ms), Policy(allow_high_risk=True))
        assert ids(plan) == ([1003] if name == "stop" else [])


def test_state_of_the_allowed_age_moves() -> None:
    """The age limit itself is still fresh."""
    assert ids(compile_plan([act("Sit")], state(age_ms=500.0), Policy())) == [1009]


def test_a_model_cannot_damp() -> None:
    """Under a model's policy Damp is refused even when the robot lies."""
    plan = compile_plan([act("Damp")], state(Posture.LYING), Policy(allow_damp=False))
    assert not plan.steps
    assert plan.refused[0].api_id == 1001


def test_a_walk_that_is_too_long_is_cut_in_its_direction() -> None:
    """Distance is limited over both directions together, and the person is told."""
    plan = compile_plan([act("move", x=6.0, y=8.0)], state(), Policy(max_distance=3.0))
    assert plan.steps[0].params == pytest.approx({"x": 1.8, "y": 2.4, "yaw": 0.0})
    assert plan.notes == ("一度に歩けるのは3メートルまでです。",)


def test_a_turn_is_cut_at_one_turn() -> None:
    """More than one turn becomes one, in the same direction, and the person is told."""
    plan = compile_plan([act("move", yaw=-30.0)], state(), Policy())
    assert plan.steps[0].params["yaw"] == -math.tau
    assert plan.notes == ("一度に回れるのは一回転までです。",)


def test_within_limits_nothing_is_changed_or_said() -> None:
    """A move within limits passes as asked, its other parameters filled in."""
    plan = compile_plan([act("move", x=3.0, yaw=1)], state(), Policy())
    assert plan.steps[0].params == {"x": 3.0, "y": 0.0, "yaw": 1.0}
    assert plan.notes == ()


def test_an_integer_stays_one() -> None:
    """An integer is clamped and stays an integer, as the wire wants it; a fraction is refused."""
    plan = compile_plan([act("SpeedLevel", data=-7.0)], state(), Policy())
    assert plan.steps[0].params == {"data": -1}
    assert isinstance(plan.steps[0].params["data"], int)
    assert not compile_plan([act("SpeedLevel", data=0.5)], state(), Policy()).steps


def test_a_flag_has_its_default() -> None:
    """A flag that was not given is what the table says."""
    assert compile_plan([act("Pose")], state(), Policy()).steps[0].params == {"data": True}
    assert compile_plan([act("Pose", data=False)], state(), Policy()).steps[0].params == {"data": False}


@pytest.mark.parametrize(
    "bad",
    [
        act("move", x=math.nan),
        act("move", x=math.inf),
        act("move", x=10**400),
        act("move", x="1"),
        act("move", x=True),
        act("move", x=None),
        act("move", z=1.0),
        act("move"),
        act("move", x=0.001),
        act("Pose", data=1),
        act("Sit", x=1.0),
    ],
)
def test_parameters_nobody_can_make_sense_of_are_refused(bad: Action) -> None:
    """NaN, infinity, numbers too big for a float, wrong types, unknown names, and a move to nowhere."""
    plan = compile_plan([bad], state(), Policy())
    assert not plan.steps
    assert plan.refused[0].reason.endswith("。")


def test_a_step_is_checked_again_before_it_is_sent() -> None:
    """A planned step is refused when posture, battery or age have changed since."""
    policy = Policy()
    assert check_step(act("Hello"), state(), policy) is None
    for changed in (state(Posture.LYING), state(Posture.UNKNOWN), state(battery=5), state(age_ms=9999.0)):
        refusal = check_step(act("Hello"), changed, policy)
        assert refusal is not None
        assert refusal.api_id == 1016
    assert check_step(act("stop"), state(Posture.UNKNOWN, 0, math.inf), policy) is None


def test_policy_from_settings() -> None:
    """Every limit of the configuration reaches the policy."""
    given_ = RobotSettings(allow_high_risk=True, max_steps=2, state_max_age_ms=99, max_distance=1.5)
    policy = Policy.from_settings(given_)
    assert (policy.allow_high_risk, policy.max_steps) == (True, 2)
    assert (policy.state_max_age_ms, policy.max_distance) == (99, 1.5)


STOP_WORDS = ("停止", "止ま", "止め", "とまれ", "ストップ", "待って", "待て", "やめ", "動くな", "動かないで")

values = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3), st.just(10**400))
anything = st.builds(
    Action,
    name=st.one_of(st.sampled_from(sorted(TABLE)), st.text(max_size=5)),
    api_id=st.one_of(st.sampled_from([spec.api_id for spec in TABLE.values()]), st.integers()),
    params=st.dictionaries(st.sampled_from(["x", "y", "z", "yaw", "data", "speed"]), values, max_size=4),
    inserted=st.booleans(),
)
registered = st.builds(
    lambda name, params: Action(name, TABLE[name].api_id, {k: v for k, v in params.items() if k in TABLE[name].params}),
    st.sampled_from(sorted(TABLE)),
    st.fixed_dictionaries({}, optional=dict.fromkeys(["x", "y", "z", "yaw", "data"], values)),
)
states = st.builds(
    RobotState,
    posture=st.sampled_from(Posture),
    battery=st.integers(-10, 110),
    age_ms=st.one_of(st.just(0.0), st.floats()),
)
policies = st.builds(
    Policy, allow_high_risk=st.booleans(), max_steps=st.integers(1, 10), max_distance=st.floats(0.1, 20.0)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(anything, registered), max_size=8), states, policies)
def test_whatever_comes_in_nothing_unsafe_goes_out(actions: list[Action], now: RobotState, policy: Policy) -> None:
    """Only registered actions, allowed ones, with known, finite parameters in range; stops survive; none is lost."""
    plan = compile_plan(actions, now, policy)
    for step in plan.steps:
        spec = TABLE[step.name]
        assert step.api_id == spec.api_id
        assert policy.allow_high_risk or not spec.dangerous
        assert step.params.keys() == (spec.params.keys() if not step.inserted else set())
        for key, value in step.params.items():
            rule = spec.params[key]
            assert isinstance(value, bool) if rule.kind == "flag" else rule.min <= value <= rule.max
        if step.name == "move":
            assert math.hypot(step.params["x"], step.params["y"]) <= policy.max_distance * (1 + 1e-9)
    stops = [action for action in actions if (action.name, action.api_id) == ("stop", 1003)]
    assert sum(step.name == "stop" for step in plan.steps) == len(stops)
    assert len(plan.refused) + sum(not step.inserted for step in plan.steps) == len(actions)
    for said in [refusal.reason for refusal in plan.refused] + list(plan.notes):
        assert said.endswith("。")
        assert not [word for word in STOP_WORDS if word in said]


@settings(max_examples=50, deadline=None)
@given(st.lists(registered, max_size=5), states, policies)
def test_a_plan_is_a_fixed_point(actions: list[Action], now: RobotState, policy: Policy) -> None:
    """What safety lets through, it lets through unchanged when asked again."""
    roomy = Policy(allow_high_risk=policy.allow_high_risk, max_steps=20, max_distance=policy.max_distance)
    plan = compile_plan(actions, now, roomy)
    again = compile_plan(plan.steps, now, roomy)
    assert [step.api_id for step in again.steps] == ids(plan)
    assert not again.refused
