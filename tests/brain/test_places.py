"""Places in coordinates: what is said, what is walked, and what is no order to go anywhere."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain import places
from claudiad.brain.places import Goal, way
from claudiad.brain.router import Router
from claudiad.robot.safety import Policy, compile_plan
from claudiad.types import Decision, Posture, RobotState
from tests.brain.conftest import STANDING, calls, pronounced

START = Goal(0.0, 0.0, 0.0, "")


def end(decision: Decision, state: RobotState) -> tuple[float, float, float]:
    """Where the moves of a decision lead when they are done exactly, as safety lets them through."""
    pose = (state.x, state.y, state.yaw)
    plan = compile_plan(decision.actions, state, Policy())
    assert (plan.refused, plan.notes) == ((), ())
    for step in plan.steps:
        if step.name == "move":
            pose = places.walked(pose, step.params)
    return pose


def off(pose: tuple[float, float, float], x: float, y: float) -> float:
    return math.hypot(pose[0] - x, pose[1] - y)


AWAY = RobotState(Posture.STANDING, 100, x=1.0, y=-2.0, yaw=2.5)


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("x=2.0、y=1.0に行って", 2, 1),
        ("x2.0 y1.0に移動して", 2, 1),
        ("座標2.0、1.0へ行って", 2, 1),
        ("座標(2, -1)まで歩いて", 2, -1),
        ("エックス二、ワイ一に行って", 2, 1),
        ("Ｘ＝２，Ｙ＝１に進んで", 2, 1),
        ("x=-2.5、y=+0.5に行って", -2.5, 0.5),
        ("x=−2、y=－1に行って", -2, -1),  # a minus sign, and the full-width hyphen
        ("x=2メートル、y=1メートルに移動してください", 2, 1),
        ("xは2、yは1のところに行ってくれる？", 2, 1),
        ("エックスマイナス二点五、ワイ零点五の位置に行ってもらえますか", -2.5, 0.5),
        ("クラウディア、x=2、y=1に向かって", 2, 1),
        ("x=1、y=0に戻ってきて", 1, 0),
    ],
)
def test_a_place_is_gone_to(text: str, x: float, y: float, router: Router) -> None:
    """However it is written, from wherever the robot is; the rule names the place."""
    for state in (STANDING, AWAY):
        decision = router.decide(text, state)
        assert (decision.route, decision.kind, decision.confidence) == ("motion", "action", 0.95)
        assert decision.reply == "はい、そこへ行きます。"
        assert decision.rule == f"place: x={x:g} y={y:g}"
        assert off(end(decision, state), x, y) < 0.01


@pytest.mark.parametrize("text", ["エックス二、ワイ一に行って", "エックスマイナス二、ワイ一点五に移動して"])
def test_a_place_is_gone_to_in_a_transcript(text: str, router: Router) -> None:
    """The embedded recogniser's unbroken katakana says the same."""
    heard = pronounced(text)
    assert heard.startswith("エックス")
    assert calls(router.decide(heard, AWAY)) == calls(router.decide(text, AWAY)) != ""


@pytest.mark.parametrize(
    "text",
    [
        "出発点に戻って", "スタート地点に戻って", "元の場所に戻って", "最初の場所に帰って", "始めの位置に戻って",
        "出発した場所へ戻ってください", "元いた位置まで戻ってきて", "スタートに戻りなさい", "出発点にお戻りください",
        "クラウディア、出発点に戻ってくれる？", "シュッパツテンニモドッテ", "モトノバショニモドッテクダサイ",
    ],
)  # fmt: skip
def test_the_way_back_ends_as_it_began(text: str, router: Router) -> None:
    """At the start, and in the direction it had there."""
    decision = router.decide(text, AWAY)
    assert (decision.route, decision.reply) == ("motion", "はい、出発点に戻ります。")
    pose = end(decision, AWAY)
    assert off(pose, 0, 0) < 0.01
    assert abs(pose[2]) < places.ALIGNED_RAD


@pytest.mark.parametrize(
    "text",
    [
        "x=2、y=1に行かないで", "x=2、y=1に行くな", "出発点に戻らないで", "元の場所に戻るな",
        "x=2、y=1に行った", "x=2、y=1に行けますか", "x=2、y=1に行ける？", "x=2、y=1に行きたい", "x=2、y=1に？",
        "x=2、y=1", "座標2、1", "出発点に戻りますか", "出発点に戻った？", "元の場所に戻ったよ",
        "猫が元の場所に戻ってきた", "犯人は元の場所に戻ってくる", "本を元の場所に戻して", "スタート地点はどこ",
        "x=2センチ、y=1に行って", "x=12345、y=1に行って", "x=2、y=1に行って、x=0、y=0に行って",
        "エックス線を撮りに行って", "x=二三、y=1に行って",
    ],
)  # fmt: skip
def test_what_is_no_order_to_go_there_moves_nothing(text: str, router: Router) -> None:
    """Forbidden, told, asked about, unclear: not a single move."""
    assert not [a for a in router.decide(text, AWAY).actions if a.name != "stop"]


def test_a_wish_is_asked_back_and_a_yes_goes_there(router: Router) -> None:
    """The question names the place as one, and what a yes does is the way there."""
    for text, question in [
        ("x=2、y=1に行ける？", "その場所へ行く、で合っていますか？"),
        ("出発点に戻りますか", "出発点に戻る、で合っていますか？"),
    ]:
        asked = router.decide(text, AWAY)
        ordered = router.decide("x=2、y=1に行って" if "x" in text else "出発点に戻って", AWAY)
        assert (asked.actions, asked.reply, asked.asked) == ((), question, ordered.actions)


def test_what_is_forbidden_ends_it_when_it_is_under_way(router: Router) -> None:
    """出発点に戻らないで, said while it walks, is a stop; said at rest it is a promise."""
    assert router.decide("出発点に戻らないで", AWAY).reply == "はい、しません。"
    assert calls(router.decide("出発点に戻らないで", replace(AWAY, running="move"))) == "stop"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("立って、x=2、y=1に行って、写真を撮って", ["StandUp", "move", "move", "Photo"]),
        ("x=2、y=1に行って挨拶して", ["move", "move", "Hello"]),
        ("一メートル前に進んでからx=2、y=1に行って", ["move", "move", "move"]),
        ("出発点に戻って座って", ["move", "move", "move", "Sit"]),
    ],
)
def test_a_place_may_be_one_of_several_steps(text: str, names: list[str], router: Router) -> None:
    """The way begins where the moves before it lead."""
    nearer = replace(AWAY, y=-1.0)
    decision = router.decide(text, nearer)
    assert [a.name for a in decision.actions] == names
    goal = (0, 0) if "出発" in text else (2, 1)
    assert off(end(decision, nearer), *goal) < 0.01


@pytest.mark.parametrize(
    ("text", "state", "reply"),
    [
        ("x=1.03、y=-2に行って", AWAY, places.HERE),
        ("出発点に戻って", STANDING, places.HOME),
        ("x=100、y=0に行って", STANDING, places.TOO_FAR),
        ("x=0、y=16に行って", STANDING, places.TOO_FAR),  # a turn and six walks
        ("x=999、y=999に行って", replace(AWAY, x=1e300), places.TOO_FAR),
        ("x=2、y=1に行って", replace(AWAY, x=math.nan), places.LOST),
        ("x=2、y=1に行って", replace(AWAY, yaw=math.inf), places.LOST),
        ("x=2、y=1に行って", replace(AWAY, running="Dance1"), places.MOVING),
    ],
)
def test_where_there_is_no_way_it_is_said(text: str, state: RobotState, reply: str, router: Router) -> None:
    """Already there, too far, on the move or lost: an answer and no action."""
    decision = router.decide(text, state)
    assert (decision.reply, decision.actions, decision.kind) == (reply, (), "dialog")
    assert decision.rule.endswith("not gone")


def test_fifteen_metres_to_the_side_are_a_turn_and_five_walks(router: Router) -> None:
    """The farthest that six steps lead."""
    assert calls(router.decide("x=0、y=15に行って", STANDING)) == " | ".join(["move yaw=1.5708", *["move x=3"] * 5])


metres = st.floats(-6.0, 6.0)
poses = st.tuples(metres, metres, st.floats(-math.pi, math.pi))
goals = st.builds(Goal, metres, metres, st.sampled_from([None, 0.0]), st.just(""))


@given(poses, goals)
def test_the_moves_lead_to_the_goal(pose: tuple[float, float, float], goal: Goal) -> None:
    """Done exactly they end within 1 cm (or it was there already), in walks of 3 m at most, as few as can be."""
    moves = way(goal, *pose)
    assert moves is not None
    distance = off(pose, goal.x, goal.y)
    for params in moves:
        pose = places.walked(pose, params)
    assert off(pose, goal.x, goal.y) < (0.01 if distance >= places.NEAR_M else places.NEAR_M)
    if goal.yaw is not None:
        assert abs(math.remainder(pose[2] - goal.yaw, math.tau)) < places.ALIGNED_RAD + 1e-3
    walks = [math.hypot(p.get("x", 0.0), p.get("y", 0.0)) for p in moves if "x" in p]
    assert all(walk <= places.MAX_WALK_M + 1e-3 for walk in walks)
    assert len(walks) == (math.ceil(distance / places.MAX_WALK_M - 1e-6) if distance >= places.NEAR_M else 0)
    assert max(walks, default=0.0) - min(walks, default=0.0) < 1e-3
    assert all(abs(p["yaw"]) >= places.ALIGNED_RAD - 1e-3 for p in moves if "yaw" in p)


def test_a_small_turn_is_left_out() -> None:
    """One degree off is walked a little sideways instead, and no turn is made at the end."""
    yaw = math.radians(1.0)
    assert way(START, -2.0, 0.0, yaw) == ({"x": 1.9997, "y": -0.0349},)
